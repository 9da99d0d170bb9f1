//! The functions that expressions may call.
//!
//! A list of names, so that an update of the engine cannot widen what rules may do. Left out are
//! functions of many rows, functions whose result differs from run to run, and those that make
//! texts or lists of any length out of a number.

/// Every function, sorted.
pub(crate) const ALLOWED: &[&str] = &[
    "abs",
    "acos",
    "acosh",
    "array_any_match",
    "array_any_value",
    "array_append",
    "array_avg",
    "array_bottom",
    "array_compact",
    "array_concat",
    "array_contains",
    "array_distinct",
    "array_element",
    "array_except",
    "array_filter",
    "array_first",
    "array_has",
    "array_has_all",
    "array_has_any",
    "array_intersect",
    "array_join",
    "array_length",
    "array_max",
    "array_min",
    "array_ndims",
    "array_pop_back",
    "array_pop_front",
    "array_position",
    "array_positions",
    "array_prepend",
    "array_remove",
    "array_remove_all",
    "array_replace",
    "array_replace_all",
    "array_reverse",
    "array_slice",
    "array_sort",
    "array_sum",
    "array_to_string",
    "array_top",
    "array_transform",
    "array_union",
    "ascii",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bit_length",
    "btrim",
    "cardinality",
    "cbrt",
    "ceil",
    "char_length",
    "character_length",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "contains",
    "cos",
    "cosh",
    "cot",
    "crc32",
    "current_date",
    "current_timestamp",
    "date",
    "date_bin",
    "date_format",
    "date_part",
    "date_trunc",
    "datepart",
    "datetrunc",
    "decode",
    "degrees",
    "dformat",
    "digest",
    "element_at",
    "empty",
    "encode",
    "ends_with",
    "exp",
    "find_in_set",
    "flatten",
    "floor",
    "format",
    "from_unixtime",
    "gcd",
    "get_url_host",
    "get_url_path",
    "get_url_port",
    "get_url_protocol",
    "get_url_query_str",
    "greatest",
    "hash_email",
    "hash_phone",
    "ifnull",
    "initcap",
    "instr",
    "is_empty",
    "isnan",
    "iszero",
    "json_value",
    "lcm",
    "least",
    "left",
    "length",
    "levenshtein",
    "list_contains",
    "list_has",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "make_date_time",
    "map",
    "map_entries",
    "map_extract",
    "map_keys",
    "map_values",
    "md5",
    "named_struct",
    "nanvl",
    "normalize_phone",
    "now",
    "nullif",
    "nvl",
    "nvl2",
    "octet_length",
    "overlay",
    "pi",
    "position",
    "pow",
    "power",
    "radians",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "set_date_part",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "signum",
    "sin",
    "sinh",
    "split_part",
    "sqrt",
    "starts_with",
    "str_to_object",
    "string_to_array",
    "strpos",
    "substr",
    "substr_index",
    "substring",
    "substring_index",
    "tan",
    "tanh",
    "to_char",
    "to_date",
    "to_hex",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_seconds",
    "to_unixtime",
    "today",
    "translate",
    "trim",
    "trunc",
    "upper",
];

/// Functions of which the second argument is the length of the result.
pub(crate) const PADDING: [&str; 2] = ["lpad", "rpad"];
/// The longest text that padding makes, in characters.
pub(crate) const PADDING_MAX: u64 = 10_000;

/// Functions of a list and a function of its elements.
pub(crate) const HIGHER_ORDER: [&str; 4] =
    ["array_any_match", "array_filter", "array_first", "array_transform"];
/// Functions whose result has the elements of their first argument.
pub(crate) const KEEP_ELEMENTS: [&str; 8] = [
    "array_bottom",
    "array_compact",
    "array_distinct",
    "array_filter",
    "array_reverse",
    "array_slice",
    "array_sort",
    "array_top",
];

/// Functions of which the second argument is a pattern.
pub(crate) const PATTERNS: [&str; 5] =
    ["regexp_count", "regexp_instr", "regexp_like", "regexp_match", "regexp_replace"];
/// The largest compiled pattern, in bytes.
pub(crate) const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Why a function that exists elsewhere is not available.
pub(crate) fn reason_refused(name: &str) -> Option<&'static str> {
    match name {
        "random" | "rand" | "uuid" | "guid" | "gen_random_uuid" => {
            Some("its result would differ from run to run")
        }
        "count" | "sum" | "avg" | "mean" | "min" | "max" | "median" | "array_agg"
        | "string_agg" | "row_number" | "rank" | "dense_rank" | "lag" | "lead" | "first_value"
        | "last_value" => Some("it works on many records, and a rule sees one"),
        "repeat" | "space" | "range" | "generate_series" | "array_repeat" | "array_resize" => {
            Some("its result could be of any length")
        }
        "unnest" => Some("it would make several records of one"),
        "json_to_object" => Some(
            "the type of its result would differ from record to record; take one value with `json_value(text, 'a.b')`",
        ),
        "timestamp" => {
            Some("the time of the evaluation is `now()`, in seconds `to_unixtime(now())`")
        }
        "ua_os_name"
        | "ua_os_version"
        | "ua_os_version_major"
        | "ua_os_name_version"
        | "ua_agent_version"
        | "ua_agent_version_major"
        | "ua_agent_name"
        | "ua_device_class" => Some("user agents are not analysed"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_names_functions_of_the_engine() {
        assert!(ALLOWED.is_sorted());
        let missing: Vec<_> = ALLOWED
            .iter()
            .filter(|name| !super::super::catalog::Catalog::get().has_function(name))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(ALLOWED.iter().all(|name| reason_refused(name).is_none()));
    }
}
