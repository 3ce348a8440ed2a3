//! Tests of starts-with by the harness, from Rust.
//!
//!   rustc --edition 2021 --test test_starts_with.rs -o test-starts-with && SF_PLUGIN_PATH=. ./test-starts-with

mod sf;
use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_void};

// Of <sf/harness.h>; the struct stays opaque.
#[link(name = "sf-harness")]
extern "C" {
    fn harness_new(plugin: *const c_char, options: *const c_char) -> *mut c_void;
    fn harness_free(harness: *mut c_void);
    fn harness_input_text(harness: *mut c_void, name: *const c_char, schema: *const c_char);
    fn harness_rows(harness: *mut c_void, input: usize, split: *const c_char, start: i64, json: *const *const c_char, n: usize) -> *const sf::SfBatch;
    fn harness_apply(harness: *mut c_void, batch: *const sf::SfBatch) -> *const sf::SfBatch;
    fn harness_text(harness: *mut c_void, batch: *const sf::SfBatch) -> *const c_char;
    fn harness_rejects(harness: *mut c_void) -> *const c_char;
}

fn text(c: *const c_char) -> String {
    unsafe { CStr::from_ptr(c) }.to_str().unwrap().to_string()
}

#[test]
fn keeps_what_begins_so_and_rejects_nulls() {
    let new = |s: &str| CString::new(s).unwrap();
    let rows: Vec<CString> = ["[1, \"ORD-1\"]", "[2, \"ORDER\"]", "[3, null]", "[4, \"ORD-a text that is not an inline view\"]"].iter().map(|s| new(s)).collect();
    let pointers: Vec<*const c_char> = rows.iter().map(|s| s.as_ptr()).collect();
    let (plugin, options) = (new("starts-with"), new("{column: t, prefix: ORD-}"));
    let (input, schema, split) = (new("lines"), new("n int, t string view"), new("file/0"));
    unsafe {
        let h = harness_new(plugin.as_ptr(), options.as_ptr());
        harness_input_text(h, input.as_ptr(), schema.as_ptr());
        let out = harness_apply(h, harness_rows(h, 0, split.as_ptr(), 100, pointers.as_ptr(), pointers.len()));
        assert_eq!(text(harness_text(h, out)), "{\"n\":1,\"t\":\"ORD-1\"}\n{\"n\":4,\"t\":\"ORD-a text that is not an inline view\"}");
        assert_eq!(text(harness_rejects(h)), "file/0@102: t: null, where a text was expected");
        harness_free(h);
    }
}

/// The same lines as layout.c prints: the types of sf.rs are those of the headers.
#[test]
fn prints_its_layout() {
    use std::mem::{align_of, size_of};
    macro_rules! line {
        ($($t:ident),*) => { $(println!("layout {} {} {}", stringify!($t), size_of::<sf::$t>(), align_of::<sf::$t>());)* };
    }
    line!(SfError, ArrowSchema, ArrowArray, SfBatch, SfColumn, SfOption, SfNode, SfHead, SfTransform);
}
