//! What a PQL text says.

use std::ops::Range;

use jiff::civil::Date;

/// An expression and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expr {
    pub(super) node: Node,
    pub(super) place: Range<usize>,
}

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) place: Range<usize>,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Integer(i64),
    Decimal(String),
    Boolean(bool),
    Null,
    Date(Date),
    /// `now`, `today`, `yesterday`, `tomorrow` as values.
    Moment(Moment),
    List(Vec<Expr>),
    /// A bare name: a variable, `xEvent`, or a field of what is in context.
    Name(String),
    /// `$1`: the profile.
    Profile,
    Not(Box<Expr>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// A chain of operations of one precedence, from left to right.
    Arithmetic(Box<Expr>, Vec<(&'static str, Expr)>),
    Negative(Box<Expr>),
    In {
        value: Box<Expr>,
        list: Box<Expr>,
        negated: bool,
    },
    Like(Box<Expr>, Box<Expr>),
    /// `f(a, b)`
    Call(Name, Vec<Expr>),
    /// `x.f(a, b)`
    Method(Box<Expr>, Name, Vec<Expr>),
    /// `x.name`
    Member(Box<Expr>, Name),
    /// `x[…]`: the element at a position, the value under a key, or the elements of a condition.
    Select(Box<Expr>, Box<Expr>),
    /// `exists V from ARR where COND, …`
    Quantifier(Quantifier, Vec<Domain>),
    /// `select V from ARR where COND`
    Selection(Box<Expr>, Box<Domain>),
    /// `sum X.total over X from ARR where COND`
    Over(Name, Box<Expr>, Box<Domain>),
    /// `let V = VALUE in BODY`
    Let(Name, Box<Expr>, Box<Expr>),
    /// `X => BODY`, as an argument.
    Lambda(Name, Box<Expr>),
    Occurs(Box<Expr>, Box<Occurs>),
    Chain(Box<Chain>),
}

/// `V from ARR where COND`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Domain {
    pub(super) variable: Name,
    pub(super) array: Expr,
    pub(super) condition: Option<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Quantifier {
    Exists,
    ForAll,
}

/// `=`, `!=`, `<`, `<=`, `>`, `>=`
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The operator of SQL.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Decade,
    Century,
    Millennium,
}

/// Words that stand for a time or a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Moment {
    Now,
    /// A day, counted from today.
    Day(i64),
    /// `this`, `last` or `next` unit: 0, -1 or 1.
    Relative(i64, Unit),
}

/// A time that another is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Time {
    Moment(Moment, Range<usize>),
    /// `3 days before now`, as an end of `between`.
    Shifted(Span, Side, Box<Time>),
    Value(Expr),
}

/// `3 days`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    pub(super) count: i64,
    pub(super) unit: Unit,
    pub(super) place: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Side {
    Before,
    After,
    From,
}

/// What stands behind `occurs`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Occurs {
    /// `<= 3 days before now`
    Distance(Comparison, Span, Side, Time),
    /// `before today`
    Side(Side, Time),
    /// `on date(2019, 12, 31)`, `last week`
    On(Time),
    /// `between A and B`
    Between(Time, Time),
}

/// `CHAIN(xEvent, timestamp, [A: WHAT(…) WHEN(…) COUNT(…), …])`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chain {
    /// The field of an event that tells when it happened.
    pub(super) time: Expr,
    pub(super) steps: Vec<Step>,
}

/// One step of a chain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) place: Range<usize>,
    /// Whether no such event may lie here.
    pub(super) negated: bool,
    pub(super) what: Expr,
    pub(super) when: Option<(Occurs, Range<usize>)>,
    /// How many such events; one when absent.
    pub(super) count: Option<(Comparison, i64, Range<usize>)>,
    /// At most this long behind the step before.
    pub(super) within: Option<Span>,
    /// At least this long behind the step before.
    pub(super) after: Option<Span>,
}

/// A whole rule: what it calls the profile, if it gives it a name, and the condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) profile: Option<Name>,
    pub(super) body: Expr,
}
