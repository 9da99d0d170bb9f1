//! The names that a rule can call, and why some are refused.

/// Functions that stand alone.
pub(super) const FUNCTIONS: [&str; 9] = [
    "CHAIN",
    "currentDayOfMonth",
    "currentMonth",
    "currentYear",
    "date",
    "if",
    "inSegment",
    "now",
    "today",
];

/// Functions behind a dot.
pub(super) const METHODS: [&str; 39] = [
    "average",
    "bottomN",
    "contains",
    "count",
    "distinct",
    "doesNotContain",
    "doesNotEndWith",
    "doesNotStartWith",
    "endsWith",
    "equals",
    "exists",
    "filter",
    "forall",
    "get",
    "getDayOfMonth",
    "getMonth",
    "getYear",
    "head",
    "in",
    "includes",
    "intersection",
    "intersects",
    "isNotNull",
    "isNull",
    "keys",
    "like",
    "map",
    "matches",
    "max",
    "min",
    "notEqualTo",
    "notIn",
    "regexGroup",
    "startsWith",
    "subsetOf",
    "sum",
    "supersetOf",
    "topN",
    "values",
];

/// Functions that make one value of many; also before `over`.
pub(super) const AGGREGATES: [&str; 5] = ["average", "count", "max", "min", "sum"];

/// What PQL has and Segue does not, with what to do instead.
pub(super) fn unsupported(name: &str) -> Option<&'static str> {
    match name.to_ascii_lowercase().as_str() {
        "groupby" => Some("Count or add up with a condition instead: `orders.filter(store = 1)`."),
        "mapentry" | "aggregate" => Some("Write the condition without a map of results."),
        _ => None,
    }
}

/// Words that mean something at the beginning of a SQL expression or behind one, so that a field
/// of that name stands between double quotes. One too many does no harm.
const SQL_WORDS: [&str; 116] = [
    "all",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "at",
    "between",
    "binary",
    "bit",
    "both",
    "by",
    "case",
    "cast",
    "ceil",
    "char",
    "check",
    "collate",
    "column",
    "constraint",
    "convert",
    "create",
    "cross",
    "cube",
    "current",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "date",
    "datetime",
    "day",
    "default",
    "delete",
    "desc",
    "distinct",
    "div",
    "double",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "explain",
    "extract",
    "false",
    "fetch",
    "filter",
    "float",
    "floor",
    "for",
    "from",
    "full",
    "function",
    "glob",
    "group",
    "having",
    "hour",
    "ilike",
    "in",
    "inner",
    "insert",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "json",
    "lambda",
    "left",
    "like",
    "limit",
    "listagg",
    "localtime",
    "localtimestamp",
    "map",
    "match",
    "minute",
    "month",
    "natural",
    "not",
    "null",
    "numeric",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "overlay",
    "position",
    "prior",
    "regexp",
    "right",
    "row",
    "second",
    "select",
    "set",
    "similar",
    "some",
    "struct",
    "substring",
    "table",
    "then",
    "time",
    "timestamp",
    "trim",
    "true",
    "union",
    "unique",
    "using",
    "when",
    "where",
];

/// Writes one name as SQL: bare where that is the same, between double quotes otherwise.
pub(super) fn quoted(name: &str) -> String {
    if is_plain(name) && !SQL_WORDS.contains(&name.to_ascii_lowercase().as_str()) {
        name.to_owned()
    } else {
        always_quoted(name)
    }
}

/// Writes a name behind a dot, where words of SQL are names like any other.
pub(super) fn step(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { always_quoted(name) }
}

fn always_quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
