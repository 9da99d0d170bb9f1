//! Names of functions that stand for other expressions.
//!
//! They are those of calculated fields in Adobe Experience Platform (behaviour reference §4.9), so
//! that expressions can be brought along; `docs/functions.md` lists them. Each becomes a shape that
//! is checked as if it had been written. No argument is written twice, so that nesting stays what
//! it was.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    AccessExpr, Array, BinaryOperator, CaseWhen, CastKind, DataType, ExactNumberInfo, Expr,
    Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Spanned,
    Subscript, Value,
};

use super::{ExpressionError, Positions};

/// Names with another name for the same function.
const RENAMED: [(&str, &str); 14] = [
    ("arrays_to_object", "map"),
    ("explode", "string_to_array"),
    ("extract_regex", "regexp_match"),
    ("filterarray", "array_filter"),
    ("flattenarray", "flatten"),
    ("get_keys", "map_keys"),
    ("join_arrays", "array_concat"),
    ("lcase", "lower"),
    ("matches_regex", "regexp_like"),
    ("replacestr", "replace"),
    ("size_of", "cardinality"),
    ("split", "string_to_array"),
    ("to_object", "named_struct"),
    ("transformarray", "array_transform"),
];

/// Parts of a time under the names that Adobe gives them too.
const DATE_PARTS: [(&str, &str); 21] = [
    ("yyyy", "year"),
    ("yy", "year"),
    ("qq", "quarter"),
    ("q", "quarter"),
    ("mm", "month"),
    ("m", "month"),
    ("dayofyear", "doy"),
    ("dy", "doy"),
    ("y", "doy"),
    ("dd", "day"),
    ("d", "day"),
    ("ww", "week"),
    ("w", "week"),
    ("weekday", "dow"),
    ("dw", "dow"),
    ("hh", "hour"),
    ("hh24", "hour"),
    ("mi", "minute"),
    ("n", "minute"),
    ("ss", "second"),
    ("sss", "millisecond"),
];

type Rewritten = Result<Option<Expr>, ExpressionError>;

/// What a call stands for, if it stands for something else.
pub(super) fn rewritten(tree: &mut Expr, positions: &Positions) -> Rewritten {
    let Expr::Function(function) = tree else { return Ok(None) };
    let name = function.name.to_string().to_lowercase();
    check_double_encoding(&name, function, positions)?;
    if let Some(digest) = without_charset(&name, function, positions)? {
        return Ok(Some(digest));
    }
    if let Some((_, other)) = RENAMED.iter().find(|(known, _)| *known == name) {
        return Ok(Some(renamed(function, other)));
    }
    if name == "ucase" {
        return Ok(Some(renamed(function, "upper")));
    }
    let Some(arguments) = plain_arguments(function) else { return Ok(None) };
    Ok(match (name.as_str(), arguments.len()) {
        ("date_part" | "datepart", 2) => date_part(function),
        ("array_to_string" | "join", 2) if name == "join" || is_text(&arguments[0]) => {
            let [separator, list] = take(arguments);
            Some(call(function, "array_to_string", vec![list, separator]))
        }
        ("equals", 2) => Some(equal(take(arguments))),
        ("equalsignorecase", 2) => {
            let sides = take(arguments).map(|side| call(function, "lower", vec![side]));
            Some(equal(sides))
        }
        ("iif", 3) => {
            let [condition, yes, no] = take(arguments);
            Some(case(None, vec![(condition, yes)], Some(no)))
        }
        ("decode", 3..) => Some(decode(arguments)),
        ("min", 2..) => Some(renamed(function, "least")),
        ("max", 2..) => Some(renamed(function, "greatest")),
        ("nullify", 0) => Some(Expr::Value(Value::Null.with_span(function.name.span()))),
        ("first", 1) => Some(call(function, "array_element", vec![take1(arguments), number("1")])),
        ("first", 2..) => arguments.into_iter().next(),
        ("last", 1) => Some(call(function, "array_element", vec![take1(arguments), number("-1")])),
        ("last", 2..) => arguments.into_iter().next_back(),
        ("add_to_array", 2..) => {
            let mut arguments = arguments.into_iter();
            let list = arguments.next().unwrap_or_else(|| number("0"));
            let added = array(arguments.collect());
            Some(call(function, "array_concat", vec![list, added]))
        }
        ("to_array", 1..) => Some(to_array(function, arguments).ok_or_else(|| {
            let message = "the first argument of `to_array` is `TRUE` or `FALSE`";
            let error = positions.error(function.name.span(), "not_allowed", message);
            error.with_hint("It tells whether what is missing is kept: `to_array(FALSE, a, b)`.")
        })?),
        ("contains_key", 2) => {
            let [map, key] = take(arguments);
            let keys = call(function, "map_keys", vec![map]);
            Some(call(function, "array_has", vec![keys, key]))
        }
        ("get_values", 1) => Some(renamed(function, "map_values")),
        ("get_values", 2) => {
            let [map, key] = take(arguments);
            if let Expr::Value(value) = &key
                && !matches!(value.value, Value::SingleQuotedString(_))
            {
                let message = "a key is a text in single quotes";
                let error = positions.error(value.span, "wrong_argument", message);
                return Err(error.with_hint("Write `get_values(x, 'name')`."));
            }
            let access_chain = vec![AccessExpr::Subscript(Subscript::Index { index: key })];
            Some(Expr::CompoundFieldAccess { root: Box::new(map), access_chain })
        }
        ("zone_date_to_utc", 1) => Some(in_utc(function, take1(arguments))),
        ("zone_date_to_zone", 2) => {
            let [time, zone] = take(arguments);
            Some(in_zone([in_utc(function, time), zone]))
        }
        ("from_unixtime", 1) => {
            let zone = utc(function);
            Some(call(function, "from_unixtime", vec![take1(arguments), zone]))
        }
        ("to_bigint" | "to_integer", 1) => Some(cast(arguments, DataType::BigInt(None))),
        ("to_float", 1) => {
            let double = DataType::Double(ExactNumberInfo::None);
            Some(cast(arguments, double))
        }
        ("to_decimal", 1) => {
            let decimal = DataType::Decimal(ExactNumberInfo::PrecisionAndScale(38, 10));
            Some(cast(arguments, decimal))
        }
        _ => None,
    })
}

/// The functions that make texts of digits.
const DIGESTS: [&str; 7] = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "crc32"];

/// `md5(x, 'UTF-8')` is what `md5(x)` is; there are no digests of other encodings.
fn without_charset(name: &str, function: &Function, positions: &Positions) -> Rewritten {
    let arguments = plain_arguments(function).unwrap_or_default();
    let [text, Expr::Value(charset)] = arguments.as_slice() else { return Ok(None) };
    let Value::SingleQuotedString(written) = &charset.value else { return Ok(None) };
    if !DIGESTS.contains(&name) {
        return Ok(None);
    }
    if ["utf-8", "utf8"].contains(&written.to_lowercase().as_str()) {
        return Ok(Some(call(function, name, vec![text.clone()])));
    }
    let message = format!("digests are of the UTF-8 bytes of a text, and not of `{written}`");
    let error = positions.error(charset.span, "wrong_argument", message);
    Err(error.with_hint(format!("Write `{name}(x)`.")))
}

/// Digests are texts of hexadecimal digits here, and bytes elsewhere: `encode(sha256(x), 'hex')`
/// would encode the digits.
fn check_double_encoding(
    name: &str,
    function: &Function,
    positions: &Positions,
) -> Result<(), ExpressionError> {
    let first = plain_arguments(function).unwrap_or_default().into_iter().next();
    let Some(Expr::Function(inner)) = first.filter(|_| name == "encode") else { return Ok(()) };
    let digest = inner.name.to_string().to_lowercase();
    if !DIGESTS.contains(&digest.as_str()) {
        return Ok(());
    }
    let message = format!("`{digest}` is a text of hexadecimal digits already");
    let hint = format!("Leave `encode` out, or take the bytes with `digest(x, '{digest}')`.");
    Err(positions.error(function.name.span(), "not_allowed", message).with_hint(hint))
}

/// The arguments of a call that has nothing but plain ones.
fn plain_arguments(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let is_plain = function.filter.is_none()
        && function.over.is_none()
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty();
    let plain = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    list.args.iter().map(plain).collect::<Option<Vec<_>>>().filter(|_| is_plain)
}

fn take<const N: usize>(arguments: Vec<Expr>) -> [Expr; N] {
    arguments.try_into().unwrap_or_else(|_| unreachable!("the caller counted the arguments"))
}

fn take1(arguments: Vec<Expr>) -> Expr {
    let [argument] = take(arguments);
    argument
}

fn is_text(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)))
}

fn number(digits: &str) -> Expr {
    Expr::Value(Value::Number(digits.to_owned(), false).with_empty_span())
}

fn array(elem: Vec<Expr>) -> Expr {
    Expr::Array(Array { elem, named: false })
}

fn named(function: &Function, name: &str) -> ObjectName {
    ObjectName::from(vec![Ident::with_span(function.name.span(), name)])
}

/// The same call under another name.
fn renamed(function: &Function, name: &str) -> Expr {
    Expr::Function(Function { name: named(function, name), ..function.clone() })
}

/// A call of another function at the same place.
fn call(function: &Function, name: &str, arguments: Vec<Expr>) -> Expr {
    let mut call = Function { name: named(function, name), ..function.clone() };
    if let FunctionArguments::List(list) = &mut call.args {
        let unnamed = |argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument));
        list.args = arguments.into_iter().map(unnamed).collect();
    }
    Expr::Function(call)
}

fn equal([left, right]: [Expr; 2]) -> Expr {
    let (left, right) = (Box::new(bracketed(left)), Box::new(bracketed(right)));
    Expr::Nested(Box::new(Expr::BinaryOp { left, op: BinaryOperator::Eq, right }))
}

fn utc(function: &Function) -> Expr {
    let zone = Value::SingleQuotedString("UTC".to_owned());
    Expr::Value(zone.with_span(function.name.span()))
}

/// An instant in UTC; a time without a zone is one of UTC.
fn in_utc(function: &Function, time: Expr) -> Expr {
    in_zone([time, utc(function)])
}

/// `x AT TIME ZONE 'Europe/Paris'`
fn in_zone([time, zone]: [Expr; 2]) -> Expr {
    Expr::Nested(Box::new(Expr::AtTimeZone {
        timestamp: Box::new(bracketed(time)),
        time_zone: Box::new(zone),
    }))
}

fn bracketed(expr: Expr) -> Expr {
    match expr {
        Expr::BinaryOp { .. } | Expr::UnaryOp { .. } => Expr::Nested(Box::new(expr)),
        other => other,
    }
}

fn case(operand: Option<Expr>, branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let branch = |(condition, result)| CaseWhen { condition, result };
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: operand.map(Box::new),
        conditions: branches.into_iter().map(branch).collect(),
        else_result: otherwise.map(Box::new),
    }
}

/// `decode(x, 'a', 'A', 'b', 'B', 'other')`; without a default what is not listed is null.
fn decode(arguments: Vec<Expr>) -> Expr {
    let mut arguments = arguments.into_iter();
    let operand = arguments.next();
    let mut branches = Vec::new();
    loop {
        match (arguments.next(), arguments.next()) {
            (Some(key), Some(value)) => branches.push((key, value)),
            (otherwise, _) => return case(operand, branches, otherwise),
        }
    }
}

/// `to_array(FALSE, a, b)` leaves nulls out.
fn to_array(function: &Function, arguments: Vec<Expr>) -> Option<Expr> {
    let mut arguments = arguments.into_iter();
    let keeps_nulls = match arguments.next()? {
        Expr::Value(value) => match value.value {
            Value::Boolean(keeps_nulls) => keeps_nulls,
            _ => return None,
        },
        _ => return None,
    };
    let list = array(arguments.collect());
    Some(if keeps_nulls { list } else { call(function, "array_compact", vec![list]) })
}

/// `TRY_CAST`: what is no number is null.
fn cast(arguments: Vec<Expr>, data_type: DataType) -> Expr {
    let expr = Box::new(take1(arguments));
    Expr::Cast { kind: CastKind::TryCast, expr, data_type, array: false, format: None }
}

/// `date_part('yyyy', x)`, whose first argument has other names elsewhere.
fn date_part(function: &Function) -> Option<Expr> {
    let [part, time] = take(plain_arguments(function)?);
    let Expr::Value(value) = &part else { return None };
    let Value::SingleQuotedString(written) = &value.value else { return None };
    let lower = written.to_lowercase();
    let (_, known) = DATE_PARTS.iter().find(|(name, _)| *name == lower)?;
    let part = Expr::Value(Value::SingleQuotedString((*known).to_owned()).with_span(value.span));
    Some(call(function, "date_part", vec![part, time]))
}
