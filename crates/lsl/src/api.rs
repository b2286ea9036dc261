//! The functions of liblsl that this program calls, as its headers `lsl/*.h` declare them (1.16 and later).

use std::ffi::{c_char, c_ulong, c_void};

use libloading::Library;

/// `lsl_streaminfo`, `lsl_inlet`, `lsl_outlet` and `lsl_xml_ptr` are opaque pointers.
pub(crate) type Handle = *mut c_void;

/// The first sample of a chunk is sent at once and not kept for a fuller packet.
pub(crate) const PUSH_THROUGH: i32 = 1;

macro_rules! api {
    ($($name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The loaded library and its functions.
        #[allow(non_snake_case, reason = "named as in the headers")]
        pub(crate) struct Api {
            $(pub $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
            /// The functions are valid as long as the library is loaded.
            _library: Library,
        }

        impl Api {
            /// # Safety
            /// `library` must be liblsl: the functions are called with the types of its headers.
            pub(crate) unsafe fn of(library: Library) -> Result<Api, libloading::Error> {
                Ok(Api {
                    // SAFETY: the caller gives liblsl, whose headers declare the function with this type.
                    $($name: *unsafe { library.get(concat!(stringify!($name), "\0").as_bytes()) }?,)*
                    _library: library,
                })
            }
        }
    };
}

api! {
    lsl_library_info() -> *const c_char;
    lsl_local_clock() -> f64;
    lsl_last_error() -> *const c_char;
    lsl_destroy_string(*mut c_char);

    lsl_resolve_all(*mut Handle, u32, f64) -> i32;
    lsl_create_streaminfo(*const c_char, *const c_char, i32, f64, i32, *const c_char) -> Handle;
    lsl_destroy_streaminfo(Handle);
    lsl_get_name(Handle) -> *const c_char;
    lsl_get_type(Handle) -> *const c_char;
    lsl_get_source_id(Handle) -> *const c_char;
    lsl_get_uid(Handle) -> *const c_char;
    lsl_get_hostname(Handle) -> *const c_char;
    lsl_get_session_id(Handle) -> *const c_char;
    lsl_get_channel_count(Handle) -> i32;
    lsl_get_channel_format(Handle) -> i32;
    lsl_get_nominal_srate(Handle) -> f64;
    lsl_get_created_at(Handle) -> f64;
    lsl_get_xml(Handle) -> *mut c_char;
    lsl_get_desc(Handle) -> Handle;
    lsl_append_child(Handle, *const c_char) -> Handle;
    lsl_append_child_value(Handle, *const c_char, *const c_char) -> Handle;

    lsl_create_inlet(Handle, i32, i32, i32) -> Handle;
    lsl_destroy_inlet(Handle);
    lsl_get_fullinfo(Handle, f64, *mut i32) -> Handle;
    lsl_open_stream(Handle, f64, *mut i32);
    lsl_time_correction_ex(Handle, *mut f64, *mut f64, f64, *mut i32) -> f64;
    lsl_was_clock_reset(Handle) -> u32;
    lsl_pull_chunk_d(Handle, *mut f64, *mut f64, c_ulong, c_ulong, f64, *mut i32) -> c_ulong;
    lsl_pull_chunk_l(Handle, *mut i64, *mut f64, c_ulong, c_ulong, f64, *mut i32) -> c_ulong;
    lsl_pull_chunk_buf(Handle, *mut *mut c_char, *mut u32, *mut f64, c_ulong, c_ulong, f64, *mut i32) -> c_ulong;

    lsl_create_outlet(Handle, i32, i32) -> Handle;
    lsl_destroy_outlet(Handle);
    lsl_push_sample_ftp(Handle, *const f32, f64, i32) -> i32;
    lsl_push_sample_itp(Handle, *const i32, f64, i32) -> i32;
    lsl_push_sample_buftp(Handle, *const *const c_char, *const u32, f64, i32) -> i32;
}
