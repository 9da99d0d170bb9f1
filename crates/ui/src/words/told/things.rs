//! What facts are called that are words, and no names: kinds of values, and what a place takes.

/// English and French.
const THINGS: &[(&str, &str)] = &[
    // Keys of recipients
    ("the key", "la clé"),
    // Values
    ("a value", "une valeur"),
    ("a single value", "une valeur simple"),
    ("nothing", "rien"),
    ("text", "un texte"),
    ("a text", "un texte"),
    ("a string", "un texte"),
    ("a number", "un nombre"),
    ("numbers", "des nombres"),
    ("a whole number", "un nombre entier"),
    ("one that is too large", "un nombre trop grand"),
    ("an integer", "un nombre entier"),
    ("a float", "un nombre à virgule flottante"),
    ("a decimal", "un nombre décimal"),
    ("a boolean", "un booléen"),
    ("true or false", "`true` ou `false`"),
    ("a binary", "des octets"),
    ("a date", "une date"),
    ("a time", "une heure"),
    ("a timestamp", "un timestamp"),
    ("an interval", "une durée"),
    ("a list", "une liste"),
    ("a map", "une map"),
    ("a struct", "un objet"),
    ("an object", "un objet"),
    ("a mapping", "des clés et leurs valeurs"),
    ("one of the known words", "l’un des mots connus"),
    // Parts of rules
    ("a condition", "une condition"),
    ("a function", "une fonction"),
    ("a name", "un nom"),
    ("identifier", "un nom"),
    ("an identifier", "un nom"),
    ("a name for the value", "un nom pour la valeur"),
    ("a name for the step", "un nom pour le pas"),
    ("a name for the elements", "un nom pour les éléments"),
    ("a name behind the dot", "un nom derrière le point"),
    ("a name in double quotes", "un nom entre guillemets"),
    ("a comparison before the number", "une comparaison devant le nombre"),
    ("a unit of time", "une unité de temps"),
    ("the end", "la fin"),
    ("the end of the rule", "la fin de la règle"),
    ("end of statement", "la fin"),
    ("a count as a whole number", "un nombre entier d’occurrences"),
    ("the year as a whole number", "l’année comme nombre entier"),
    ("the month as a whole number", "le mois comme nombre entier"),
    ("the day as a whole number", "le jour comme nombre entier"),
    ("a comma", "une virgule"),
    ("a colon", "un deux-points"),
    ("no arguments", "aucun argument attendu"),
    ("1 argument", "un argument attendu"),
    ("at most 1 argument", "au plus un argument attendu"),
    ("1 or 2 arguments", "un ou deux arguments attendus"),
    ("2 arguments", "deux arguments attendus"),
    ("3 arguments", "trois arguments attendus"),
    ("there is nothing", "il n’y a rien"),
    // Parts of definitions
    ("delimiter", "séparateur"),
    ("quote", "guillemet"),
    ("escape", "échappement"),
    ("account", "compte"),
    ("day of the month", "jour du mois"),
    ("day of the week", "jour de la semaine"),
    ("month", "mois"),
    ("hour", "heure"),
    ("minute", "minute"),
    ("1 to 31, or `L` for the last", "1 à 31, ou `L` pour le dernier"),
    ("1 to 12, or `jan` to `dec`", "1 à 12, ou `jan` à `dec`"),
    ("0 to 7, or `sun` to `sat`", "0 à 7, ou `sun` à `sat`"),
    ("0 to 59", "0 à 59"),
    ("0 to 23", "0 à 23"),
];

/// What stands before a thing, or before a name.
const BEGINNINGS: &[(&str, &str)] = &[
    ("this is ", "c’est "),
    ("these are ", "ce sont "),
    ("account ", "compte "),
    ("key ", "la clé "),
];

/// What joins things.
const JOINTS: [(&str, &str); 6] = [
    (", ", ", "),
    (" or ", " ou "),
    (" and ", " et "),
    (" of ", " de "),
    (" on line ", " à la ligne "),
    (" from ", " à partir de "),
];

/// A fact in French, if it is a thing, or several of them.
pub(super) fn named(fact: &str) -> Option<String> {
    if let Some((_, french)) = THINGS.iter().find(|(english, _)| *english == fact) {
        return Some((*french).to_owned());
    }
    let begun = BEGINNINGS.iter().find_map(|(en, fr)| Some((fact.strip_prefix(en)?, fr)));
    if let Some((rest, french)) = begun {
        return Some(format!("{french}{}", named(rest).or_else(|| kept(rest))?));
    }
    JOINTS.iter().find_map(|(en, fr)| {
        let (left, right) = fact.split_once(en)?;
        let [left, right] = [left, right].map(|it| named(it).or_else(|| kept(it)));
        Some(format!("{}{fr}{}", left?, right?))
    })
}

/// What stays as it is: code, and numbers.
fn kept(fact: &str) -> Option<String> {
    let is_code = fact.len() > 2 && fact.starts_with('`') && fact.ends_with('`');
    let is_one = is_code && !fact[1..fact.len() - 1].contains('`');
    (is_one || fact == "NULL" || fact.parse::<u32>().is_ok()).then(|| fact.to_owned())
}
