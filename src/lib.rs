//! PatchClamp
pub mod tensor;
pub mod site;
pub mod hook;
pub mod text;
pub mod model;
pub mod organism;
