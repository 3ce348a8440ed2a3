//! A transform in Rust, without a line of C: keeps rows whose text begins with a prefix, and rejects those without a text.
//!
//!   rustc --edition 2021 --crate-type cdylib -C panic=abort -O starts_with.rs -o starts-with.so

mod sf;
use sf::*;
use std::ffi::CStr;
use std::os::raw::c_char;

#[repr(C)]
struct State {
    column: *const c_char,
    prefix: *const c_char,
}

#[repr(transparent)]
struct Options([SfOption; 3]);
unsafe impl Sync for Options {}

const fn text_option(field: &'static [u8], offset: u32, doc: &'static [u8]) -> SfOption {
    SfOption {
        field: field.as_ptr().cast(),
        kind: SF_OPTION_TYPE_STRING,
        offset,
        required: true,
        doc: doc.as_ptr().cast(),
        ..END
    }
}

const END: SfOption = SfOption {
    field: std::ptr::null(),
    name: std::ptr::null(),
    kind: 0,
    offset: 0,
    required: false,
    value: std::ptr::null(),
    min: std::ptr::null(),
    max: std::ptr::null(),
    words: std::ptr::null(),
    doc: std::ptr::null(),
    since: std::ptr::null(),
    deprecated_by: std::ptr::null(),
    example: std::ptr::null(),
};

static OPTIONS: Options = Options([
    text_option(b"column\0", 0, b"Column of texts to look at.\0"),
    text_option(b"prefix\0", 8, b"What the texts of rows that stay begin with.\0"),
    END,
]);

unsafe extern "C" fn bind(node: *mut SfNode, input: *const ArrowSchema, out: *mut ArrowSchema, err: *mut SfError) -> SfStatus {
    let state = &*((*node).state as *const State);
    if sf_schema_find(input, state.column) < 0 {
        return sf_fail(err, SF_CONFIG, b"column: there is no column '%s'\0".as_ptr().cast(), state.column);
    }
    sf_schema_copy(input, out, err)
}

unsafe extern "C" fn apply(node: *mut SfNode, batch: *const SfBatch, out: *mut SfBatch, err: *mut SfError) -> SfStatus {
    let state = &*((*node).state as *const State);
    let prefix = CStr::from_ptr(state.prefix).to_bytes();
    let mut column = SfColumn::empty();
    let status = sf_column(batch, state.column, SF_UTF8, &mut column, err);
    if status != SF_OK {
        return status;
    }
    let rows = (*batch).rows.length;
    let mut keep = vec![0u8; rows as usize / 8 + 1];
    for row in 0..rows {
        if column.is_null(row) {
            reject(node, batch, row, &format!("{}: null, where a text was expected", CStr::from_ptr(state.column).to_string_lossy()));
        } else if column.bytes(row).starts_with(prefix) {
            keep[row as usize / 8] |= 1 << (row % 8);
        }
    }
    sf_batch_keep(batch, keep.as_ptr(), out, err)
}

#[repr(transparent)]
pub struct Plugin(SfTransform);
unsafe impl Sync for Plugin {}

#[no_mangle]
#[allow(non_upper_case_globals)]
pub static sf_plugin_v1: Plugin = Plugin(SfTransform {
    head: SfHead {
        size: std::mem::size_of::<SfTransform>() as u32,
        kind: SF_TRANSFORM,
        name: b"starts-with\0".as_ptr().cast(),
        version: b"1.0.0\0".as_ptr().cast(),
        summary: b"Keeps rows whose text begins with a prefix\0".as_ptr().cast(),
        doc: std::ptr::null(),
        options: OPTIONS.0.as_ptr(), // ended by a row of zeros, as SF_OPTION_END is
        option_size: std::mem::size_of::<SfOption>() as u32,
        reserved: 0,
        state_size: std::mem::size_of::<State>(),
    },
    bind: Some(bind),
    open: None,
    apply: Some(apply),
    close: None,
    needs: std::ptr::null(),
    keep_row: std::ptr::null(),
});
