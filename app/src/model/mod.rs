//! What travels between server and browser: slim, with times as milliseconds and ids as text.

mod notification;
mod packed;
mod picker;
mod run;
mod tenant;

pub use notification::{Notification, NotificationPage};
pub use packed::Packed;
pub use picker::{Picker, PickerCategory, PickerPreset, PickerType, StartedSync};
pub use run::{progress, title};
pub use tenant::{Environment, TenantEntry};
