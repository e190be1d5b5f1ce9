//! Libraries and pictures of work clothes (chapters 7 and 8). They are kept for platforms that manage them here; no
//! algorithm compares with them yet, so pictures stay "not modelled".

use domain::names::holds;
use domain::{CameraChange, PictureId};

use crate::codes::{Code, Fault};
use crate::convert::pictures::{LIBRARY, address, clothes};
use crate::convert::{Paging, name};
use crate::device::{WORK_CLOTHES, written};
use crate::request::Caller;
use crate::settings::{ClothesLibrary, ClothesPicture, WorkClothes};
use crate::wire::clothes::{
    self, AddLibrary, AddPicture, AddPictures, DeleteLibrary, DeletePictures, Failure, Libraries, LibraryId,
    LibraryRow, ListLibraries, ListPictures, PictureIds, PictureRow, Pictures, RenameLibrary,
};
use crate::wire::{Answer, Done};

/// Maximum number of libraries.
const MAX_LIBRARIES: usize = 32;
/// Maximum number of pictures of a library.
const MAX_PICTURES: usize = 200;
/// Maximum number of pictures of a batch.
const MAX_BATCH: usize = 50;
/// `model_status`: not modelled.
const NOT_MODELLED: u8 = 1;

/// Creates an empty library (/workclotheslib/add, section 7.1).
pub(crate) async fn add_library(caller: Caller, request: AddLibrary) -> Result<Answer<LibraryId>, Fault> {
    let name = name("lib_name", &request.lib_name.0)?;
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let mut kept = caller.device.work_clothes().await?;
    require_free_name(&kept, &name, None)?;
    if kept.libraries.len() >= MAX_LIBRARIES {
        return Err(Code::ClothesLibraryLimit.into());
    }
    let lib_id = kept.add_library(name, caller.device.appliance.now());
    keep(&caller, &kept).await?;
    Ok(Answer::of(LibraryId { lib_id }))
}

/// Renames a library (/workclotheslib/update, section 7.2).
pub(crate) async fn rename_library(caller: Caller, request: RenameLibrary) -> Result<Done, Fault> {
    let name = name("lib_name", &request.lib_name.0)?;
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let mut kept = caller.device.work_clothes().await?;
    require_free_name(&kept, &name, Some(request.lib_id.0))?;
    library_mut(&mut kept, request.lib_id.0)?.name = name;
    keep(&caller, &kept).await?;
    Ok(Done::DONE)
}

/// Removes a library with its pictures, also from the smart tasks that name it (/workclotheslib/delete, section 7.3).
pub(crate) async fn delete_library(caller: Caller, request: DeleteLibrary) -> Result<Done, Fault> {
    let [id] = request.lib_id.0[..] else { return Err(Fault::argument("lib_id is not one library")) };
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let mut kept = caller.device.work_clothes().await?;
    let place = kept.libraries.iter().position(|library| library.id == id);
    let gone = kept.libraries.remove(place.ok_or_else(no_library)?);
    release(&caller, id).await?;
    keep(&caller, &kept).await?;
    drop_pictures(&caller, &kept, gone.pictures).await
}

/// Takes a library out of the tasks of channels.
async fn release(caller: &Caller, library: i64) -> Result<(), Fault> {
    for camera in caller.reading()?.cameras().await? {
        let mut kept = caller.device.channel(&camera).await?;
        if kept.forget_clothes(library) {
            let change = CameraChange { note: caller.device.noting(&kept)?, ..CameraChange::default() };
            caller.acts().update_camera(camera.id, change).await?;
        }
    }
    Ok(())
}

/// Lists libraries by id (/workclotheslib/list, section 7.4).
pub(crate) async fn libraries(caller: Caller, request: ListLibraries) -> Result<Answer<Libraries>, Fault> {
    let paging = Paging::new(request.page, request.pagesize)?;
    let part = request.lib_name.unwrap_or_default().0;
    caller.reading()?;
    let mut all = caller.device.work_clothes().await?.libraries;
    all.retain(|library| holds(&library.name, &part));
    let (total, page) = paging.cut(all);
    let row = |library: ClothesLibrary| LibraryRow {
        lib_id: library.id,
        lib_name: library.name,
        create_time: library.created / 1000,
    };
    Ok(Answer::of(Libraries { total, workcloth_lib_list: page.into_iter().map(row).collect() }))
}

/// Stores a picture (/workclothes/add, section 8.1).
pub(crate) async fn add(caller: Caller, request: AddPicture) -> Result<Answer<clothes::PictureId>, Fault> {
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let mut kept = caller.device.work_clothes().await?;
    library_mut(&mut kept, request.lib_id.0)?;
    let workclothes_id = put(&caller, &mut kept, request.lib_id.0, &request.image_base64).await?;
    keep(&caller, &kept).await?;
    Ok(Answer::of(clothes::PictureId { workclothes_id }))
}

/// Stores pictures one by one; those that cannot be are named by their place (/workclothes/batchadd, section 8.2).
pub(crate) async fn add_batch(caller: Caller, request: AddPictures) -> Result<Answer<PictureIds>, Fault> {
    let texts = request.image_base64.0;
    if !(1..=MAX_BATCH).contains(&texts.len()) {
        return Err(Fault::argument("image_base64 has not 1 to 50 entries"));
    }
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let mut kept = caller.device.work_clothes().await?;
    if library_mut(&mut kept, request.lib_id.0)?.pictures.len() >= MAX_PICTURES {
        return Err(Code::ClothesLimit.into());
    }
    let mut stored = PictureIds { workclothes_id: Vec::new(), fail_list: Vec::new() };
    for (index, text) in texts.iter().enumerate() {
        match put(&caller, &mut kept, request.lib_id.0, text).await {
            Ok(id) => stored.workclothes_id.push(id),
            Err(fault) => stored.fail_list.push(Failure { index, reason: fault.code.text() }),
        }
    }
    keep(&caller, &kept).await?;
    Ok(Answer::of(stored))
}

/// Removes pictures of a library (/workclothes/delete, section 8.3).
pub(crate) async fn delete(caller: Caller, request: DeletePictures) -> Result<Done, Fault> {
    let ids = request.workclothes_id_list.0;
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let mut kept = caller.device.work_clothes().await?;
    let library = library_mut(&mut kept, request.lib_id.0)?;
    let unknown = |id: &i64| !library.pictures.iter().any(|picture| picture.id == *id);
    if ids.is_empty() || ids.iter().any(unknown) {
        return Err(Fault::argument("workclothes_id_list is empty, or not of that library"));
    }
    let gone = library.pictures.extract_if(.., |picture| ids.contains(&picture.id)).collect();
    keep(&caller, &kept).await?;
    drop_pictures(&caller, &kept, gone).await
}

/// Lists the pictures of a library by id (/workclothes/list, section 8.4).
pub(crate) async fn list(caller: Caller, request: ListPictures) -> Result<Answer<Pictures>, Fault> {
    let paging = Paging::new(request.page, request.pagesize)?;
    caller.reading()?;
    let mut kept = caller.device.work_clothes().await?;
    let library = library_mut(&mut kept, request.lib_id.0)?;
    match request.model_status.or(request.modeling_type).map_or(999, |status| status.0) {
        1 | 999 => {}
        2..=4 => library.pictures.clear(),
        _ => return Err(Fault::argument("model_status is none of 1, 2, 3, 4, 999")),
    }
    let (total, page) = paging.cut(std::mem::take(&mut library.pictures));
    let row = |picture: ClothesPicture| PictureRow {
        lib_id: request.lib_id.0,
        workclothes_id: picture.id,
        image_path: address(LIBRARY, &picture.picture(), None),
        create_time: picture.created / 1000,
        model_status: NOT_MODELLED,
    };
    Ok(Answer::of(Pictures { total, workclothes_list: page.into_iter().map(row).collect() }))
}

/// Stores a picture in a library and returns its id; the library is there.
async fn put(caller: &Caller, kept: &mut WorkClothes, library: i64, text: &str) -> Result<i64, Fault> {
    if library_mut(kept, library)?.pictures.len() >= MAX_PICTURES {
        return Err(Code::ClothesLimit.into());
    }
    let stored = caller.acts().keep_picture(clothes(text)?).await.map_err(|error| match error {
        domain::Error::BadPicture { .. } => Code::ClothesImport.into(),
        other => Fault::from(other),
    })?;
    let id = kept.next_id();
    let picture = ClothesPicture::new(id, &stored, caller.device.appliance.now());
    library_mut(kept, library)?.pictures.push(picture);
    Ok(id)
}

/// Removes the stored pictures that no library names any more. One that a person has stays.
async fn drop_pictures(caller: &Caller, kept: &WorkClothes, gone: Vec<ClothesPicture>) -> Result<Done, Fault> {
    let named =
        |id: &PictureId| kept.libraries.iter().flat_map(|library| &library.pictures).any(|p| p.picture() == *id);
    for id in gone.iter().map(ClothesPicture::picture).filter(|id| !named(id)) {
        match caller.acts().remove_picture(id).await {
            Err(domain::Error::NotFound { .. } | domain::Error::InUse { .. }) => {}
            outcome => outcome?,
        }
    }
    Ok(Done::DONE)
}

async fn keep(caller: &Caller, clothes: &WorkClothes) -> Result<(), Fault> {
    Ok(caller.acts().keep_value(&caller.device.state(), WORK_CLOTHES, Some(written(clothes)?)).await?)
}

fn library_mut(kept: &mut WorkClothes, id: i64) -> Result<&mut ClothesLibrary, Fault> {
    kept.libraries.iter_mut().find(|library| library.id == id).ok_or_else(no_library)
}

fn no_library() -> Fault {
    Fault::argument("lib_id is no library")
}

fn require_free_name(kept: &WorkClothes, name: &str, but: Option<i64>) -> Result<(), Fault> {
    let taken = kept.libraries.iter().any(|library| library.name == name && Some(library.id) != but);
    if taken { Err(Code::ClothesLibraryExists.into()) } else { Ok(()) }
}
