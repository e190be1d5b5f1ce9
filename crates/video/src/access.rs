//! What cameras may be: where they may be reached, which files count as cameras, and which get a password in clear.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use domain::OutboundPolicy;
use domain::ports::SourceError;
use ipnet::IpNet;

use crate::address::bad;

/// What platforms and operators may make a camera of.
#[derive(Debug, Clone)]
pub struct Access {
    /// Addresses that may be connected to; names are checked when they are resolved.
    pub outbound: OutboundPolicy,
    /// Folders below which files count as cameras; `None`: every file does.
    pub file_folders: Option<Vec<PathBuf>>,
    /// Addresses of cameras that may get the password in clear (Basic); `None`: all may.
    pub clear_logins: Option<Vec<IpNet>>,
}

impl Access {
    /// Without limits: for tests and tools.
    pub fn open() -> Self {
        Self { outbound: OutboundPolicy::OPEN, file_folders: None, clear_logins: None }
    }

    /// Whether a camera at this address may get the password in clear.
    pub(crate) fn allows_clear_login(&self, camera: IpAddr) -> bool {
        let camera = camera.to_canonical();
        self.clear_logins.as_ref().is_none_or(|networks| networks.iter().any(|network| network.contains(&camera)))
    }

    /// The file at a path with its links resolved, if it may be a camera. What lies elsewhere is refused alike whether
    /// it exists or not.
    pub(crate) fn file(&self, path: &Path) -> Result<PathBuf, SourceError> {
        let Some(folders) = &self.file_folders else { return Ok(path.to_owned()) };
        let resolved = path.canonicalize();
        let below = |path: &Path| {
            let folders = folders.iter().filter_map(|folder| folder.canonicalize().ok());
            folders.into_iter().any(|folder| path.starts_with(folder))
        };
        match resolved {
            Ok(file) if below(&file) => Ok(file),
            Err(why) if path.parent().and_then(|folder| folder.canonicalize().ok()).is_some_and(|at| below(&at)) => {
                Err(SourceError::NoStream(format!("{}: {why}", path.display())))
            }
            _ => Err(bad("the file is not below one of video.file_folders")),
        }
    }
}

/// Why a camera gets no password.
pub(crate) fn clear_login_refused() -> SourceError {
    SourceError::Broken(
        "the camera wants the password in clear (Basic): switch it to Digest, or list its address in \
         video.clear_logins"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_cameras_only_below_the_folders() {
        let root = std::env::temp_dir().join(format!("polyface-access-{}", std::process::id()));
        let (films, beside) = (root.join("films"), root.join("films-of-others"));
        std::fs::create_dir_all(films.join("old")).unwrap();
        std::fs::create_dir_all(&beside).unwrap();
        for file in [films.join("old/a.mp4"), beside.join("b.mp4")] {
            std::fs::write(file, "film").unwrap();
        }
        std::os::unix::fs::symlink(beside.join("b.mp4"), films.join("link.mp4")).unwrap();
        let access = Access { file_folders: Some(vec![films.clone(), root.join("none")]), ..Access::open() };
        assert!(access.file(&films.join("old/a.mp4")).is_ok());
        assert!(matches!(access.file(&films.join("missing.mp4")), Err(SourceError::NoStream(_))));
        let outside = [
            beside.join("b.mp4"),
            beside.join("missing.mp4"),
            films.join("link.mp4"),
            films.join("../films-of-others/b.mp4"),
            "/etc/passwd".into(),
        ];
        for file in outside {
            assert!(matches!(access.file(&file), Err(SourceError::BadAddress(_))), "{}", file.display());
        }
        let none = Access { file_folders: Some(Vec::new()), ..Access::open() };
        assert!(none.file(&films.join("old/a.mp4")).is_err());
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_password_goes_in_clear_only_to_listed_cameras() {
        let access = Access { clear_logins: Some(vec!["10.0.0.0/30".parse().unwrap()]), ..Access::open() };
        for (camera, allowed) in [("10.0.0.2", true), ("::ffff:10.0.0.2", true), ("10.0.0.4", false), ("::1", false)] {
            assert_eq!(access.allows_clear_login(camera.parse().unwrap()), allowed, "{camera}");
        }
    }
}
