//! What the cache has of one model, in the layout that `huggingface_hub` and its programs share.

use super::place::Place;
use super::{CONFIG, HubError, INDEX, TOKENIZER, WEIGHTS};
use crate::model::weights::shards;
use crate::spec::HubModel;
use hf_hub::{Cache, CacheRepo, Repo, RepoType};
use std::path::PathBuf;

/// The folder of one model in the cache.
pub(super) struct Shelf<'a> {
    model: &'a HubModel,
    folder: PathBuf,
    repo: CacheRepo,
}

impl<'a> Shelf<'a> {
    pub(super) fn new(place: &Place, model: &'a HubModel) -> Self {
        let repo = Repo::with_revision(model.id.clone(), RepoType::Model, model.wanted().to_string());
        let folder = place.cache.join(repo.folder_name());
        Shelf { model, folder, repo: Cache::new(place.cache.clone()).repo(repo) }
    }

    /// The commit that is meant: the one written down, or the one that the revision was when it was first loaded.
    pub(super) fn commit(&self) -> Option<String> {
        let wanted = self.model.wanted();
        let noted = std::fs::read_to_string(self.folder.join("refs").join(wanted)).ok();
        let noted = noted.map(|commit| commit.trim().to_string()).filter(|commit| is_commit(commit));
        noted.or_else(|| self.snapshot(wanted).is_dir().then(|| wanted.to_string()))
    }

    /// Where the files of a commit are.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.repo.pointer_path(commit)
    }

    /// Whether a file of a commit is there, whole: files come here by a move.
    pub(super) fn has(&self, commit: &str, file: &str) -> bool {
        self.snapshot(commit).join(file).is_file()
    }

    /// The first file that loading needs and that is not there.
    pub(super) fn missing(&self, commit: &str) -> Result<Option<String>, HubError> {
        let absent = |file: &str| !self.has(commit, file);
        let needed = match absent(INDEX) {
            true => vec![WEIGHTS.to_string()],
            false => shards(&self.snapshot(commit).join(INDEX))?.into_iter().collect(),
        };
        let needed = [CONFIG.to_string()].into_iter().chain(needed);
        let tokenizer = (!self.absences(commit).join(TOKENIZER).is_file()).then(|| TOKENIZER.to_string());
        Ok(needed.chain(tokenizer).find(|file| absent(file)))
    }

    /// Notes which commit the revision is now, so that a download that breaks off goes on with the same one.
    pub(super) fn note(&self, commit: &str) -> Result<(), HubError> {
        self.repo.create_ref(commit).map_err(|source| self.unwritable(source))
    }

    /// Notes that a commit has no tokenizer, so that the hub is not asked again.
    pub(super) fn note_no_tokenizer(&self, commit: &str) -> Result<(), HubError> {
        let folder = self.absences(commit);
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join(TOKENIZER), ""))
            .map_err(|source| self.unwritable(source))
    }

    /// A download that is not whole.
    pub(super) fn part(&self, etag: &str) -> PathBuf {
        self.repo.blob_path(etag).with_extension("part")
    }

    fn absences(&self, commit: &str) -> PathBuf {
        self.folder.join(".no_exist").join(commit)
    }

    fn unwritable(&self, source: std::io::Error) -> HubError {
        let (model, cache) = (self.model.to_string(), self.folder.clone());
        HubError::Unwritable { model, cache, why: source.to_string() }
    }
}

/// Whether a text is a commit: it becomes the name of a folder.
pub(super) fn is_commit(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit())
}
