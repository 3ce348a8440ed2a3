//! The part of <sf/sf.h> that a transform needs, in Rust: types as the C compiler lays them out, functions of libsf, and
//! what is `static inline` in the headers. `bindgen` makes the same from the headers, and the rest of it.
#![allow(dead_code, non_camel_case_types)]

use std::os::raw::{c_char, c_void};

pub type SfStatus = i32;
pub const SF_OK: SfStatus = 0;
pub const SF_CONFIG: SfStatus = 6;
pub const SF_FATAL: SfStatus = 7;
pub const SF_TRANSFORM: i32 = 2;
pub const SF_OPTION_TYPE_STRING: i32 = 1;
pub const SF_UTF8: i32 = 6;
pub const SF_ERROR_SIZE: usize = 1024;

#[repr(C)]
pub struct SfError {
    pub message: [c_char; SF_ERROR_SIZE],
}

#[repr(C)]
pub struct ArrowSchema {
    pub format: *const c_char,
    pub name: *const c_char,
    pub metadata: *const c_char,
    pub flags: i64,
    pub n_children: i64,
    pub children: *mut *mut ArrowSchema,
    pub dictionary: *mut ArrowSchema,
    pub release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    pub private_data: *mut c_void,
}

#[repr(C)]
pub struct ArrowArray {
    pub length: i64,
    pub null_count: i64,
    pub offset: i64,
    pub n_buffers: i64,
    pub n_children: i64,
    pub buffers: *mut *const c_void,
    pub children: *mut *mut ArrowArray,
    pub dictionary: *mut ArrowArray,
    pub release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    pub private_data: *mut c_void,
}

#[repr(C)]
pub struct SfBatch {
    pub schema: *const ArrowSchema,
    pub rows: ArrowArray,
    pub split: *const c_void,
    pub start: i64,
    pub end: i64,
    pub bytes: i64,
    pub newest_us: i64,
}

#[repr(C)]
pub struct SfColumn {
    pub kind: i32,
    pub precision: i32,
    pub scale: i32,
    pub view: bool,
    pub length: i64,
    pub offset: i64,
    pub validity: *const u8,
    pub values: *const c_void,
    pub data: *const c_void,
    pub view_data: *const *const c_void,
    pub schema: *const ArrowSchema,
    pub array: *const ArrowArray,
}

#[repr(C)]
pub struct SfOption {
    pub field: *const c_char,
    pub name: *const c_char,
    pub kind: i32,
    pub offset: u32,
    pub required: bool,
    pub value: *const c_char,
    pub min: *const c_char,
    pub max: *const c_char,
    pub words: *const *const c_char,
    pub doc: *const c_char,
    pub since: *const c_char,
    pub deprecated_by: *const c_char,
    pub example: *const c_char,
}

/// Up to what this file uses; the host's is longer, `size` says how long.
#[repr(C)]
pub struct SfHost {
    pub size: u32,
    pub log: unsafe extern "C" fn(*mut SfNode, i32, *const c_char),
    pub now_ms: unsafe extern "C" fn(*mut SfNode) -> i64,
    pub assign: *const c_void,
    pub revoke: *const c_void,
    pub lag: *const c_void,
    pub reject: unsafe extern "C" fn(*mut SfNode, *const SfBatch, i64, *const c_char),
}

#[repr(C)]
pub struct SfNode {
    pub size: u32,
    pub task: u32,
    pub pipeline: *const c_char,
    pub step: *const c_char,
    pub state: *mut c_void,
    pub host: *const SfHost,
    pub host_data: *mut c_void,
    pub inputs: *const *const c_char,
    pub n_inputs: usize,
    pub bounded: bool,
    pub tasks: u32,
}

#[repr(C)]
pub struct SfHead {
    pub size: u32,
    pub kind: i32,
    pub name: *const c_char,
    pub version: *const c_char,
    pub summary: *const c_char,
    pub doc: *const c_char,
    pub options: *const SfOption,
    pub option_size: u32,
    pub reserved: u32,
    pub state_size: usize,
}

#[repr(C)]
pub struct SfTransform {
    pub head: SfHead,
    pub bind: Option<unsafe extern "C" fn(*mut SfNode, *const ArrowSchema, *mut ArrowSchema, *mut SfError) -> SfStatus>,
    pub open: Option<unsafe extern "C" fn(*mut SfNode, *mut SfError) -> SfStatus>,
    pub apply: Option<unsafe extern "C" fn(*mut SfNode, *const SfBatch, *mut SfBatch, *mut SfError) -> SfStatus>,
    pub close: Option<unsafe extern "C" fn(*mut SfNode)>,
    pub needs: *const c_void,
    pub keep_row: *const c_void,
}

#[link(name = "sf")]
extern "C" {
    pub fn sf_fail(err: *mut SfError, status: SfStatus, format: *const c_char, ...) -> SfStatus;
    pub fn sf_schema_find(schema: *const ArrowSchema, name: *const c_char) -> i64;
    pub fn sf_schema_copy(schema: *const ArrowSchema, out: *mut ArrowSchema, err: *mut SfError) -> SfStatus;
    pub fn sf_column(batch: *const SfBatch, name: *const c_char, kind: i32, out: *mut SfColumn, err: *mut SfError) -> SfStatus;
    pub fn sf_batch_keep(batch: *const SfBatch, keep: *const u8, out: *mut SfBatch, err: *mut SfError) -> SfStatus;
}

impl SfColumn {
    /// As sf_column() fills it in.
    pub fn empty() -> SfColumn {
        unsafe { std::mem::zeroed() }
    }

    pub fn is_null(&self, row: i64) -> bool {
        let bit = (row + self.offset) as usize;
        !self.validity.is_null() && unsafe { *self.validity.add(bit / 8) } >> (bit % 8) & 1 == 0
    }

    /// sf_bytes(): the bytes of a utf8 or binary column's row, in either layout. They live as long as the batch.
    ///
    /// # Safety
    /// `row` is one of the column's.
    pub unsafe fn bytes(&self, row: i64) -> &[u8] {
        let at = (row + self.offset) as usize;
        let (data, size) = if self.view {
            let view = (self.values as *const u8).add(16 * at);
            let word = |n: usize| (view as *const i32).add(n).read_unaligned();
            let size = word(0) as usize;
            if size <= 12 {
                (view.add(4), size)
            } else {
                ((*self.view_data.add(word(2) as usize) as *const u8).add(word(3) as usize), size)
            }
        } else {
            let ends = (self.values as *const i32).add(at);
            ((self.data as *const u8).wrapping_add(*ends as usize), (*ends.add(1) - *ends) as usize)
        };
        if size == 0 {
            &[]
        } else {
            std::slice::from_raw_parts(data, size)
        }
    }
}

/// sf_reject(): the row goes with its cause to the step's errors.
///
/// # Safety
/// Within a hook, of the batch that it was handed.
pub unsafe fn reject(node: *mut SfNode, batch: *const SfBatch, row: i64, cause: &str) {
    let cause = std::ffi::CString::new(cause.replace('\0', "")).unwrap_or_default();
    ((*(*node).host).reject)(node, batch, row, cause.as_ptr())
}
