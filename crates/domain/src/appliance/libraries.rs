//! Libraries.

use super::{Acts, Appliance};
use crate::{
    Act, Camera, CameraChange, Error, Library, LibraryChange, LibraryFilter, LibraryId, NewLibrary, Result, Thing,
};

impl Appliance {
    /// Libraries in ascending order of id.
    pub async fn libraries(&self, filter: LibraryFilter) -> Result<Vec<Library>> {
        self.blocking(move |a| a.ports().people.libraries(&filter)).await
    }

    /// One library. `NotFound(Library)`.
    pub async fn library(&self, id: LibraryId) -> Result<Library> {
        let found = self.libraries(LibraryFilter { id: Some(id), ..Default::default() }).await?;
        found.into_iter().next().ok_or(Error::NotFound { what: Thing::Library })
    }

    /// Whether [`Acts::withdraw_libraries`] would remove these. `NotFound(Library)`, `InUse(Task)` while a task watches for
    /// one.
    pub async fn check_removable(&self, ids: &[LibraryId]) -> Result<()> {
        let (libraries, tasks) = (self.libraries(LibraryFilter::default()).await?, self.tasks().await?);
        for id in ids {
            if libraries.iter().all(|library| library.id != *id) {
                return Err(Error::NotFound { what: Thing::Library });
            }
            if tasks.iter().any(|task| task.settings.watch.libraries.contains(id)) {
                return Err(Error::InUse { by: Thing::Task });
            }
        }
        Ok(())
    }
}

impl Acts<'_> {
    /// Creates a library. `AlreadyExists(Library)`, `LimitReached(Library)`.
    pub async fn create_library(self, library: NewLibrary) -> Result<Library> {
        let actor = self.permit(Act::LIBRARY_CREATE)?;
        self.blocking(move |a| {
            let _order = a.people_order();
            let present = a.ports().people.libraries(&LibraryFilter::default())?.len() as u64;
            if present >= a.options().limits.libraries {
                return Err(Error::LimitReached { what: Thing::Library });
            }
            let created = a.ports().people.create_library(&library, a.now())?;
            a.audit(&actor, Act::LIBRARY_CREATE, &created.id);
            Ok(created)
        })
        .await
    }

    /// Changes a library. `NotFound(Library)`, `AlreadyExists(Library)`.
    pub async fn update_library(self, id: LibraryId, change: LibraryChange) -> Result<Library> {
        let actor = self.permit(Act::LIBRARY_UPDATE)?;
        self.blocking(move |a| {
            let changed = a.ports().people.update_library(id, &change, a.now())?;
            a.audit(&actor, Act::LIBRARY_UPDATE, &id);
            Ok(changed)
        })
        .await
    }

    /// Removes a library and all people who are in no other.
    /// `NotFound(Library)`, `InUse(Camera)` or `InUse(Task)` while one watches for it.
    pub async fn remove_library(self, id: LibraryId) -> Result<()> {
        let actor = self.permit(Act::LIBRARY_REMOVE)?;
        self.blocking(move |a| {
            let order = a.people_order();
            let removed = a.ports().people.remove_library(id)?;
            a.gallery().remove(&removed);
            a.remove_copy();
            drop(order);
            a.audit(&actor, Act::LIBRARY_REMOVE, &id);
            if removed.is_empty() { Ok(()) } else { a.erase_removed() }
        })
        .await
    }

    /// Removes libraries as [`remove_library`](Self::remove_library) does, also from what cameras watch for. Nothing is
    /// changed unless all can be removed: the errors are those of [`Appliance::check_removable`].
    pub async fn withdraw_libraries(self, ids: Vec<LibraryId>) -> Result<()> {
        self.permit(Act::LIBRARY_REMOVE)?;
        self.appliance.check_removable(&ids).await?;
        for id in ids {
            self.unwatch(id).await?;
            match self.remove_library(id).await {
                // It stood there twice.
                Err(Error::NotFound { what: Thing::Library }) => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }

    async fn unwatch(self, library: LibraryId) -> Result<()> {
        for camera in self.appliance.cameras().await? {
            if camera.watch.settings.libraries.contains(&library) {
                let forget = move |camera: &Camera| {
                    let mut watch = camera.watch.settings.clone();
                    watch.libraries.remove(&library);
                    Ok::<_, Error>(CameraChange { watch: Some(watch), ..CameraChange::default() })
                };
                self.amend_camera(camera.id, forget).await?;
            }
        }
        Ok(())
    }
}
