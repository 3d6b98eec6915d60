//! Failures of the library in words: what they mean, and which of them may pass.

use super::HubError;
use super::client::{Client, Listing};
use super::patience::Failure;
use hf_hub::api::sync::ApiError;
use std::io::ErrorKind;

/// HTTP's word for a range that begins behind the end: a download that was whole but had not been moved to its place.
const RANGE_NOT_SATISFIABLE: u16 = 416;

impl Failure {
    /// Whether the beginning that is kept cannot be gone on with.
    pub(super) fn is_of_the_part(&self) -> bool {
        match self {
            Failure::Api(ApiError::InvalidResume) => true,
            Failure::Api(ApiError::RequestError(error)) => {
                matches!(**error, ureq::Error::StatusCode(RANGE_NOT_SATISFIABLE))
            }
            _ => false,
        }
    }

    /// Whether it may be gone when tried again: a connection that broke while a file came, a beginning of no use.
    pub(super) fn may_pass(&self) -> bool {
        let broke = matches!(self, Failure::Api(ApiError::IoError(error)) if is_of_the_network(error));
        broke || self.is_of_the_part()
    }
}

fn is_of_the_network(error: &std::io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof};
    let wraps = || error.get_ref().is_some_and(|inner| inner.is::<ureq::Error>());
    [BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof].contains(&error.kind()) || wraps()
}

impl Client<'_> {
    /// A failure as the user reads it, of a file or else of the list of files.
    pub(super) fn failed(&self, file: Option<&str>, failure: Failure) -> HubError {
        let error = match failure {
            Failure::Silent(patience) => {
                return self.broken_off(file, format!("nothing came for {} s", patience.as_secs()));
            }
            Failure::Fell => return self.odd("what its library cannot read".into()),
            Failure::Api(error) => error,
        };
        match error {
            ApiError::RequestError(error) => match *error {
                ureq::Error::StatusCode(status) => self.status(file, status),
                ureq::Error::Json(error) => self.odd(format!("no list of files: {error}")),
                other => self.broken_off(file, other.to_string()),
            },
            ApiError::IoError(error) if is_of_the_network(&error) => self.broken_off(file, error.to_string()),
            ApiError::IoError(error) => self.unwritable(&error),
            ApiError::LockAcquisition(lock) => HubError::Busy { model: self.model.to_string(), lock },
            other => self.odd(other.to_string()),
        }
    }

    fn status(&self, file: Option<&str>, status: u16) -> HubError {
        let (id, endpoint) = (&self.model.id, &self.place.endpoint);
        let licence = format!("where it is gated, accept its licence on {endpoint}/{id}");
        let token = format!("set HF_TOKEN to a token of {endpoint}/settings/tokens");
        let (found, remedy) = match (status, &self.place.token) {
            (401, None) => ("gives it to nobody without a token", format!("check the name; {licence} and {token}")),
            (401, Some(_)) => ("does not accept the token of HF_TOKEN or `hf auth login`", token),
            (403, _) => ("refuses it to this token", format!("{licence} with the account that HF_TOKEN belongs to")),
            (404, _) => ("has no such model or revision", "check the name, and the revision behind the @".to_string()),
            _ => return self.broken_off(file, format!("status {status}")),
        };
        HubError::Refused { model: self.model.to_string(), endpoint: endpoint.clone(), found, remedy }
    }

    fn broken_off(&self, file: Option<&str>, why: String) -> HubError {
        let (model, endpoint) = (self.model.to_string(), self.place.endpoint.clone());
        match file {
            Some(file) => HubError::Cut { model, file: file.to_string(), why },
            None => HubError::Unreachable { model, endpoint, why },
        }
    }

    pub(super) fn odd(&self, what: String) -> HubError {
        HubError::Odd { model: self.model.to_string(), endpoint: self.place.endpoint.clone(), what }
    }

    pub(super) fn unwritable(&self, source: &std::io::Error) -> HubError {
        let (model, cache) = (self.model.to_string(), self.place.cache.clone());
        HubError::Unwritable { model, cache, why: source.to_string() }
    }

    /// What a revision without safetensors is told.
    pub(super) fn no_safetensors(&self, listing: &Listing) -> HubError {
        let (model, id) = (self.model.to_string(), self.model.id.clone());
        match listing.other_weights() {
            Some(found) => HubError::NoSafetensors { model, id, found: found.to_string() },
            None => HubError::NoWeights { model, files: listing.files() },
        }
    }
}
