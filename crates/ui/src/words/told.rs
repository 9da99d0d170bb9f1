//! What the program says of problems, in the language of the reader.
//!
//! Problems are told in English, in the API and the command line alike, with facts in them: names,
//! numbers, places. Here each text stands once as a pattern with `{}` for a fact, and beside it the same
//! in French. A text that is in no pattern is shown as it came, and marked as English.

mod data;
mod faults;
mod inputs;
mod keeping;
mod objects;
mod project;
mod rules;
mod runs;
mod services;
mod things;

use super::Lang;
use crate::locale::number;

/// All patterns, by what they are about.
const ALL: [&[(&str, &str)]; 10] = [
    TOLD,
    objects::TOLD,
    data::TOLD,
    services::TOLD,
    inputs::TOLD,
    rules::TOLD,
    project::TOLD,
    runs::TOLD,
    keeping::TOLD,
    faults::TOLD,
];

/// What stands behind a number that counts.
const COUNTED: [&str; 14] = [
    " lignes",
    " profils",
    " membres",
    " seraient",
    " de la dernière",
    " octets",
    " caractères",
    " mots et signes",
    " colonnes",
    " cellules",
    " fichiers",
    " identités",
    " événements",
    " qu’un fichier",
];

/// The same in English.
const COUNTED_IN_ENGLISH: [&str; 6] =
    [" rows", " profiles", " members", " of {} members", " of the last", " were to be"];

/// What stands before a number of a place in a file, in English and in French.
const PLACES: [(&str, &str); 4] =
    [("line ", "ligne "), ("column ", "colonne "), ("row ", "ligne "), ("field ", "champ ")];

/// What stands around a text of somebody else: a service, a library, the operating system.
const QUOTED: &str = "«\u{a0}{}\u{a0}»";
/// The longest chain of causes that is followed.
const CAUSES_MAX: usize = 6;

/// English and French, with `{}` for each fact in the same order, or `{1}`, `{2}` in French for another.
const TOLD: &[(&str, &str)] = &[
    // What is not there
    ("There is no {} `{}`.", "Il n’existe pas d’objet `{2}` de cette sorte."),
    ("there is no field `{}`", "il n’existe pas de champ `{}`"),
    ("no profile dataset has a field `{}`", "aucun jeu de profils n’a de champ `{}`"),
    (
        "no profile dataset has a field `{}`: `{}` has no `{}`",
        "aucun jeu de profils n’a de champ `{}`\u{a0}: `{}` n’a pas de `{}`",
    ),
    ("the profiles have no field `{}`", "les profils n’ont pas de champ `{}`"),
    ("the profile has no field `{}`", "le profil n’a pas de champ `{}`"),
    ("the elements have no field `{}`", "les éléments n’ont pas de champ `{}`"),
    ("There is no field `{}`.", "Il n’existe pas de champ `{}`."),
    ("there is no time zone `{}`", "il n’existe pas de fuseau horaire `{}`"),
    ("there is no macro `{}`", "il n’existe pas de macro `{}`"),
    ("there is no function `{}`", "il n’existe pas de fonction `{}`"),
    ("there is no segment `{}`", "il n’existe pas de segment `{}`"),
    ("there is no account `{}`", "il n’existe pas de compte `{}`"),
    ("there is no destination `{}`", "il n’existe pas de destination `{}`"),
    ("the project has no {} `{}`", "le projet n’a pas d’objet `{2}` de cette sorte"),
    ("Did you mean `{}`?", "Vouliez-vous dire `{}`\u{a0}?"),
    ("Did you mean `{}`? Known: {}.", "Vouliez-vous dire `{}`\u{a0}? Connus\u{a0}: {}."),
    ("Known: {}.", "Connus\u{a0}: {}."),
    ("There are: {}.", "Il y a\u{a0}: {}."),
    ("It has: {}.", "Il y a\u{a0}: {}."),
    // Usage policies
    (
        "the column `{}` holds `{}` ({}), which policy `{}` forbids for {}",
        "la colonne `{}` contient `{}` ({}), ce que la politique `{}` interdit pour {}",
    ),
    (
        "the rule of segment `{}` asks `{}` ({}), which policy `{}` forbids for {}",
        "la règle du segment `{}` interroge `{}` ({}), ce que la politique `{}` interdit pour {}",
    ),
    (
        "Take it out, or send to another destination than `{}`, which is used for {}.",
        "Retirez-le, ou envoyez vers une autre destination que `{}`, qui sert à {}.",
    ),
    (
        "Take it out, or send to another destination than `{}`, which is used for {} or {}.",
        "Retirez-le, ou envoyez vers une autre destination que `{}`, qui sert à {} ou à {}.",
    ),
    // Guards
    ("rejected on the page of the run", "rejetée sur la page de l’exécution"),
    ("rejected by {}: rejected on the page of the run", "rejetée par {}"),
    ("{} rows are fewer than min_rows ({})", "{} lignes, moins que `min_rows` ({})"),
    ("{} rows are more than max_rows ({})", "{} lignes, plus que `max_rows` ({})"),
    (
        "{} rows are {} % fewer than the {} of the last run, and max_shrink is {} %",
        "{} lignes, {}\u{a0}% de moins que les {} de la dernière exécution\u{a0}; `max_shrink` est à {}\u{a0}%",
    ),
    (
        "{} rows are {} % more than the {} of the last run, and max_growth is {} %",
        "{} lignes, {}\u{a0}% de plus que les {} de la dernière exécution\u{a0}; `max_growth` est à {}\u{a0}%",
    ),
    (
        "{} of {} members would be left out, {} %, and max_excluded is {} %",
        "{} membres sur {} seraient écartés, {}\u{a0}%\u{a0}; `max_excluded` est à {}\u{a0}%",
    ),
    ("No segment is ticked.", "Aucun segment n’est coché."),
    ("Tick at least one, or apply it to all.", "Cochez-en au moins un, ou appliquez à tous."),
    // Folders
    (
        "the folder {} is not one that destinations may be in",
        "le dossier {} n’est pas de ceux où des destinations peuvent être",
    ),
    (
        "Whoever runs the server names a folder for them: `segue serve --outbox /srv/outbox`.",
        "Qui fait tourner le serveur nomme un dossier pour elles\u{a0}: `segue serve --outbox /srv/outbox`.",
    ),
    ("Name a folder in: {}.", "Nommez un dossier dans\u{a0}: {}."),
    ("the location is empty", "l’emplacement est vide"),
    (
        "Write the path of a folder, such as `/srv/outbox`.",
        "Écrivez le chemin d’un dossier, comme `/srv/outbox`.",
    ),
    ("the location is an address, not a path", "l’emplacement est une adresse, pas un chemin"),
    (
        "Write `account` and `bucket` for a service, or the path of a folder.",
        "Écrivez `account` et `bucket` pour un service, ou le chemin d’un dossier.",
    ),
    ("the location climbs out of a folder", "l’emplacement remonte hors d’un dossier"),
    ("Write the path without `..`.", "Écrivez le chemin sans `..`."),
    ("nothing can be delivered", "rien ne peut être livré"),
    // Replays
    (
        "run {} is {}: only what was delivered can be made again",
        "l’exécution {} est dans l’état {}\u{a0}: seul ce qui a été livré peut être refait",
    ),
    (
        "run {} sent what had changed since the run before: what it was compared with is gone",
        "l’exécution {} a envoyé ce qui avait changé depuis la précédente\u{a0}: ce à quoi elle a été comparée n’existe plus",
    ),
    (
        "the file of run {} has a fixed name, under which a later one may stand",
        "le fichier de l’exécution {} a un nom fixe, sous lequel un plus récent peut se trouver",
    ),
    (
        "Make it again in a folder: `segue replay RUN --to DIR`.",
        "Refaites-le dans un dossier\u{a0}: `segue replay RUN --to DIR`.",
    ),
    (
        "activation `{}` does not send segment `{}` any more",
        "l’activation `{}` n’envoie plus le segment `{}`",
    ),
    (
        "Put it back into the project as it was, and replay again.",
        "Remettez-le dans le projet tel qu’il était, et rejouez.",
    ),
    (
        "the files of activation `{}` have other names now than at run {}",
        "les fichiers de l’activation `{}` ont maintenant d’autres noms qu’à l’exécution {}",
    ),
    (
        "Put folder and file name back as they were, and replay again.",
        "Remettez le dossier et le nom de fichier tels qu’ils étaient, et rejouez.",
    ),
    (
        "the files are encrypted, each time with keys that are drawn anew",
        "les fichiers sont chiffrés, chaque fois avec des clés tirées à nouveau",
    ),
    (
        "`segue files get` reads the file back as it was delivered.",
        "`segue files get` relit le fichier tel qu’il a été livré.",
    ),
    (
        "destination `{}` does not lead any more to where run {} was delivered",
        "la destination `{}` ne mène plus là où l’exécution {} a été livrée",
    ),
    (
        "Put it back as it was, or make the files in a folder: `segue replay RUN --to DIR`.",
        "Remettez-la telle qu’elle était, ou faites les fichiers dans un dossier\u{a0}: `segue replay RUN --to DIR`.",
    ),
    (
        "what run {} read is not as it was: {}",
        "ce que l’exécution {} a lu n’est plus tel quel\u{a0}: {}",
    ),
    (
        "Bring the inputs back as they were, or read the file back with `segue files get`.",
        "Remettez les entrées telles qu’elles étaient, ou relisez le fichier avec `segue files get`.",
    ),
    (
        "the inputs are the same and the files are not, so the rule, the columns or the format were changed: {}",
        "les entrées sont les mêmes et les fichiers non\u{a0}: la règle, les colonnes ou le format ont donc été modifiés\u{a0}: «\u{a0}{}\u{a0}»",
    ),
    (
        "Nothing was written. Put the project back as it was at the run, and replay again.",
        "Rien n’a été écrit. Remettez le projet tel qu’il était à l’exécution, et rejouez.",
    ),
    ("another object stands at {}", "un autre objet se trouve à {}"),
    (
        "Put it away, or make the files in a folder: `segue replay RUN --to DIR`.",
        "Mettez-le de côté, ou faites les fichiers dans un dossier\u{a0}: `segue replay RUN --to DIR`.",
    ),
    (
        "a part of the files is still there, and not {}",
        "une partie des fichiers est encore là, et pas {}",
    ),
    (
        "A set is put back whole: remove the rest, or make the files in a folder: `segue replay RUN --to DIR`.",
        "Un ensemble est remis en entier\u{a0}: retirez le reste, ou faites les fichiers dans un dossier\u{a0}: `segue replay RUN --to DIR`.",
    ),
    // Rules
    ("rule of segment `{}`: {}", "règle du segment `{}`\u{a0}: {}"),
    ("expression of column `{}`: {}", "expression de la colonne `{}`\u{a0}: {}"),
    (
        "a rule has to be true or false, this is of type {}",
        "une règle doit être vraie ou fausse, celle-ci est de type {}",
    ),
    (
        "a rule is one expression, not a `{}` statement",
        "une règle est une seule expression, pas une instruction `{}`",
    ),
    (
        "a rule is one expression, not a statement",
        "une règle est une seule expression, pas une instruction",
    ),
    ("unterminated string literal", "texte entre guillemets non terminé"),
    (
        "Texts stand between single quotes; double quotes name fields.",
        "Les textes vont entre apostrophes\u{a0}; les guillemets nomment des champs.",
    ),
    (
        "Write numbers without quotes and texts between single quotes; compare values of one type.",
        "Écrivez les nombres sans guillemets et les textes entre apostrophes\u{a0}; comparez des valeurs d’un même type.",
    ),
    (
        "Write numbers without quotes and texts between double quotes; compare values of one type.",
        "Écrivez les nombres sans guillemets et les textes entre guillemets\u{a0}; comparez des valeurs d’un même type.",
    ),
    ("A rule has at most 64 KiB.", "Une règle a au plus 64 Kio."),
    ("the rule is empty", "la règle est vide"),
    // Names and folders
    ("a macro has no closing `%`", "une macro n’a pas de `%` final"),
    (
        "Put `%` behind the macro's name; a plain percent sign is not possible in a name.",
        "Mettez `%` derrière le nom de la macro\u{a0}; un simple signe pour cent n’est pas possible dans un nom.",
    ),
    ("the macro `%{}%` takes no argument", "la macro `%{}%` ne prend pas d’argument"),
    ("macros are not written in braces", "les macros ne s’écrivent pas entre accolades"),
    ("a slash in a file name", "une barre oblique dans un nom de fichier"),
    ("{} would write the same object `{}`", "{} écriraient le même objet `{}`"),
    ("a column has no source", "une colonne n’a pas de source"),
    ("an expression needs a target", "une expression demande une colonne"),
    ("no segment is sent", "aucun segment n’est envoyé"),
    ("`{}` is empty", "`{}` est vide"),
    ("`{}` has no value", "`{}` n’a pas de valeur"),
    ("`{}` is written in the clear", "`{}` est écrit en clair"),
    ("two columns have the header `{}`", "deux colonnes ont l’en-tête `{}`"),
    ("two segments write the same object", "deux segments écrivent le même objet"),
    (
        "no deduplication key: people with several profiles are sent several times",
        "aucune clé de dédoublonnage\u{a0}: qui a plusieurs profils est envoyé plusieurs fois",
    ),
    (
        "no number of rows passes: `max_rows` is less than `min_rows`",
        "aucun nombre de lignes ne passe\u{a0}: `max_rows` est inférieur à `min_rows`",
    ),
    (
        "a segment cannot lose more than all of its members",
        "un segment ne peut perdre plus que tous ses membres",
    ),
    ("Write 100% or less.", "Écrivez 100% ou moins."),
    ("The segment needs a name.", "Le segment a besoin d’un nom."),
    ("Write one above the rule.", "Écrivez-en un au-dessus de la règle."),
    ("No segment is chosen.", "Aucun segment n’est choisi."),
    ("Tick at least one.", "Cochez-en au moins un."),
    ("The destination needs a name.", "La destination a besoin d’un nom."),
    ("The destination needs a bucket.", "La destination a besoin d’un bucket."),
    ("Go back to the second step.", "Revenez à la deuxième étape."),
    (
        "Choose fewer segments or columns at once.",
        "Choisissez moins de segments ou de colonnes à la fois.",
    ),
    ("A draft has at most 1 MiB.", "Un brouillon a au plus 1 Mio."),
    // Changing what is kept
    (
        "The {} `{}` is in the project file, and is read-only here.",
        "`{2}` est dans le fichier du projet, et se lit seulement ici.",
    ),
    (
        "Change the file; the server reads it again within half a minute.",
        "Modifiez le fichier\u{a0}; le serveur le relit en moins d’une demi-minute.",
    ),
    ("There is a {} `{}` already.", "`{2}` existe déjà."),
    (
        "Choose another key, or change that one.",
        "Choisissez une autre clé, ou modifiez l’existant.",
    ),
    ("The {} `{}` was changed since.", "`{2}` a été modifié depuis."),
    (
        "Read it again, and make the edit for the version that there is.",
        "Relisez-le, puis refaites la modification sur la version actuelle.",
    ),
    ("The project would have {} problems.", "Le projet aurait {} problèmes."),
    ("Change what refers to it first.", "Modifiez d’abord ce qui s’y réfère."),
    ("The activation `{}` is disabled.", "L’activation `{}` est en pause."),
    ("Enable it first.", "Réactivez-la d’abord."),
    ("No guard holds this run.", "Aucun garde-fou ne retient cette exécution."),
    ("Somebody has decided already.", "Quelqu’un a déjà décidé."),
    // People, users, secrets
    ("No profile has this identity.", "Aucun profil n’a cette identité."),
    ("Identities are compared letter by letter.", "Les identités se comparent lettre à lettre."),
    ("a password has at least {} characters", "un mot de passe a au moins {} caractères"),
    (
        "A few words that do not belong together make a good one.",
        "Quelques mots sans lien entre eux en font un bon.",
    ),
    (
        "A name has 1 to 64 letters, digits, dots, hyphens or underscores, and begins with a letter or digit.",
        "Un nom a de 1 à 64 lettres, chiffres, points, tirets ou soulignés, et commence par une lettre ou un chiffre.",
    ),
    ("This is the last admin.", "C’est le dernier administrateur."),
    ("Make another user admin first.", "Nommez d’abord un autre administrateur."),
    (
        "The master key that secrets are sealed under cannot be read.",
        "La clé maîtresse sous laquelle les secrets sont scellés ne peut pas être lue.",
    ),
    (
        "Bring back the file that holds it, or name it with SEGUE_MASTER_KEY_FILE for the server.",
        "Remettez le fichier qui la contient, ou nommez-le au serveur avec SEGUE_MASTER_KEY_FILE.",
    ),
    ("The project refers to this secret.", "Le projet se sert de ce secret."),
    ("The link was used, or is too old.", "Le lien a servi, ou est trop ancien."),
    (
        "While there is no user, each start of the server prints a new one.",
        "Tant qu’il n’y a pas d’utilisateur, chaque démarrage du serveur en affiche un nouveau.",
    ),
    ("The role {} does not allow this.", "Le rôle {} ne le permet pas."),
    ("Wait before you ask again.", "Attendez avant de redemander."),
    (
        "A fault of Segue; the log of the server says where.",
        "Une faute de Segue\u{a0}; le journal du serveur dit où.",
    ),
    // Permissions
    (
        "nothing can be delivered with the tags of the destination",
        "rien ne peut être livré avec les étiquettes de la destination",
    ),
    (
        "nothing can be delivered with the ACL of the destination",
        "rien ne peut être livré avec l’ACL de la destination",
    ),
    (
        "nothing can be delivered under the KMS key of the destination",
        "rien ne peut être livré sous la clé KMS de la destination",
    ),
    (
        "a run that fails leaves its parts behind, unseen and paid for",
        "une exécution en échec laisse ses morceaux, invisibles et facturés",
    ),
    (
        "after a lost answer, Segue cannot see whether an upload is still open",
        "après une réponse perdue, Segue ne peut voir si un envoi est encore ouvert",
    ),
    (
        "objects are not looked at after the upload, and static names are not replaced",
        "les objets ne sont pas relus après l’envoi, et les noms fixes ne sont pas remplacés",
    ),
    (
        "an object that is not there cannot be told from a hidden one",
        "un objet absent ne se distingue pas d’un objet caché",
    ),
    (
        "after a crash, an upload whose id was lost stays until a lifecycle rule ends it",
        "après un arrêt brutal, un envoi dont l’identifiant est perdu reste jusqu’à ce qu’une règle de cycle de vie y mette fin",
    ),
    (
        "nothing: the region is learnt from the service's answers",
        "rien\u{a0}: la région s’apprend des réponses du service",
    ),
    ("nothing: Segue never lists buckets", "rien\u{a0}: Segue ne liste jamais les buckets"),
    (
        "nothing for deliveries: `segue files get` reads earlier versions with it",
        "rien pour les livraisons\u{a0}: `segue files get` lit ainsi d’anciennes versions",
    ),
    ("nothing: Segue deletes no objects", "rien\u{a0}: Segue ne supprime aucun objet"),
    (
        "nothing: Segue leaves the bucket's settings alone",
        "rien\u{a0}: Segue ne touche pas aux réglages du bucket",
    ),
    (
        "nothing for deliveries: `segue files restore` asks for archived objects with it",
        "rien pour les livraisons\u{a0}: `segue files restore` demande ainsi des objets archivés",
    ),
    (
        "nothing: replication is done by S3, under a role of its own",
        "rien\u{a0}: la réplication est faite par S3, sous un rôle à lui",
    ),
];

impl Lang {
    /// A text that the program told in English, in this language; nothing where it is not known here.
    pub fn told(self, text: &str) -> Option<String> {
        match self {
            Self::En => Some(english_of(text).unwrap_or_else(|| text.to_owned())),
            Self::Fr => exact(text)
                .or_else(|| answered(text))
                .or_else(|| placed(text))
                .or_else(|| at_character(text))
                .or_else(|| french_of(text))
                .or_else(|| caused(text))
                .or_else(|| of_system(text)),
        }
    }
}

/// The same text, with what counts people or rows as figures are written.
fn english_of(text: &str) -> Option<String> {
    let (english, facts, _) = pattern_of(text)?;
    let is_sentence = english.ends_with(": {}");
    let last = facts.len().saturating_sub(1);
    let told = |(at, fact): (usize, &str)| match at == last && is_sentence {
        true => Lang::En.told(fact).unwrap_or_default(),
        false => fact.to_owned(),
    };
    let facts: Vec<String> = facts.into_iter().enumerate().map(told).collect();
    written(Lang::En, english, &facts)
}

/// A problem with what a service answered behind it: `… (HTTP 403, AccessDenied): what it wrote`.
fn answered(text: &str) -> Option<String> {
    let (problem, rest) = text.split_once(" (HTTP ")?;
    let (answer, said) = rest.split_once(')')?;
    let answer = answer.replace("request id ", "id de requête ");
    let said = match said.strip_prefix(": ") {
        Some(said) => format!("\u{a0}: «\u{a0}{said}\u{a0}»"),
        None if said.is_empty() => String::new(),
        None => return None,
    };
    Some(format!("{} (HTTP {answer}){said}", french_of(problem)?))
}

/// A problem with its place behind it: `… (people.csv, row 6)`.
fn placed(text: &str) -> Option<String> {
    let (problem, place) = text.strip_suffix(')')?.rsplit_once(" (")?;
    if place.starts_with("os error ") {
        return None;
    }
    let place: Vec<String> = place
        .split(", ")
        .map(|part| {
            let known = PLACES.iter().find_map(|(en, fr)| Some((part.strip_prefix(en)?, fr)));
            known.map_or_else(|| part.to_owned(), |(rest, fr)| format!("{fr}{rest}"))
        })
        .collect();
    let problem = at_character(problem).or_else(|| french_of(problem))?;
    Some(format!("{problem} ({})", place.join(", ")))
}

/// A problem of a rule with its place in the text of the rule: `… at character 7`.
fn at_character(text: &str) -> Option<String> {
    let (problem, number) = text.rsplit_once(" at character ")?;
    let number: u32 = number.parse().ok()?;
    Some(format!("{}, au caractère {number}", french_of(problem)?))
}

/// A problem with its cause behind it: `cannot read the file (people.csv): permission denied`.
fn caused(text: &str) -> Option<String> {
    let colons = text.match_indices(": ");
    colons.take(CAUSES_MAX).find_map(|(at, colon)| {
        let problem = &text[..at];
        let problem = french_of(problem).or_else(|| placed(problem))?;
        Some(format!("{problem}\u{a0}: {}", Lang::Fr.told(&text[at + colon.len()..])?))
    })
}

/// What the operating system says and is not known here, as it came.
fn of_system(text: &str) -> Option<String> {
    let (said, number) = text.strip_suffix(')')?.split_once(" (os error ")?;
    let is_it = !said.contains(": ") && number.parse::<u32>().is_ok();
    is_it.then(|| QUOTED.replace("{}", text))
}

/// A problem whose pattern says how it ends: nothing of a place behind it can be in a fact.
fn exact(text: &str) -> Option<String> {
    let found = pattern_of(text).filter(|(english, ..)| !english.ends_with("{}"))?;
    in_french(found)
}

/// The longest pattern that a text fits says most: English, the facts, French.
fn pattern_of(text: &str) -> Option<(&'static str, Vec<&str>, &'static str)> {
    let all = ALL.iter().flat_map(|table| table.iter());
    let found = all.filter_map(|(en, fr)| Some((*en, facts(en, text)?, *fr)));
    found.max_by_key(|(english, ..)| english.len())
}

fn french_of(text: &str) -> Option<String> {
    in_french(pattern_of(text)?)
}

fn in_french((english, facts, french): (&str, Vec<&str>, &str)) -> Option<String> {
    // What stands behind a colon is a sentence of its own; one of others is quoted as it came.
    let is_sentence = english.ends_with(": {}");
    let last = facts.len().saturating_sub(1);
    let behind = facts.last().filter(|_| is_sentence).and_then(|fact| Lang::Fr.told(fact));
    let french = match (french.strip_suffix(QUOTED), &behind) {
        (Some(french), Some(_)) => format!("{french}{{}}"),
        (None, None) if is_sentence => return None,
        _ => french.to_owned(),
    };
    let codes = codes(english);
    let told = |(at, fact): (usize, &str)| match &behind {
        Some(behind) if at == last => behind.clone(),
        _ if codes[at] => fact.to_owned(),
        _ => things::named(fact).unwrap_or_else(|| fact.to_owned()),
    };
    let facts: Vec<String> = facts.into_iter().enumerate().map(told).collect();
    written(Lang::Fr, &french, &facts)
}

/// A pattern with its facts, in their places.
fn written(lang: Lang, mut pattern: &str, facts: &[String]) -> Option<String> {
    let mut said = String::new();
    let mut next = 0;
    while let Some((before, behind)) = pattern.split_once('{') {
        let (number, behind) = behind.split_once('}')?;
        let at = number.parse::<usize>().map_or(next, |number| number - 1);
        next += 1;
        said.push_str(before);
        let fact = facts.get(at)?;
        said.push_str(&figure(lang, fact, behind).unwrap_or_else(|| fact.clone()));
        pattern = behind;
    }
    said.push_str(pattern);
    Some(said)
}

/// Which facts of a pattern are code, which has no other language.
fn codes(pattern: &str) -> Vec<bool> {
    let parts: Vec<&str> = pattern.split("{}").collect();
    parts.windows(2).map(|pair| pair[0].ends_with('`') && pair[1].starts_with('`')).collect()
}

/// What counts people or rows, or is a share, as figures are written; it is told by what stands behind it.
fn figure(lang: Lang, fact: &str, behind: &str) -> Option<String> {
    if behind.starts_with("\u{a0}%") {
        return Some(fact.replace('.', ","));
    }
    let counted = match lang {
        Lang::En => COUNTED_IN_ENGLISH.as_slice(),
        Lang::Fr => COUNTED.as_slice(),
    };
    let is_count = counted.iter().any(|it| behind.starts_with(it));
    let count = fact.parse::<u64>().ok().filter(|_| is_count)?;
    Some(number(lang, count))
}

/// The facts in a text, if it fits the pattern.
fn facts<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = pattern.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    let parts: Vec<&str> = parts.collect();
    let mut before = pattern.split("{}").next()?;
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        let end = match (is_last, part.is_empty()) {
            (true, true) => rest.len(),
            (true, false) => {
                rest.len().checked_sub(part.len()).filter(|end| rest.get(*end..) == Some(part))?
            }
            (false, _) => rest.find(part)?,
        };
        let fact = &rest[..end];
        // What is code ends where the code does.
        if before.ends_with('`') && part.starts_with('`') && fact.contains('`') {
            return None;
        }
        // What stands before a colon is a text of its own.
        if at == 0 && before.is_empty() && fact.contains(": ") {
            return None;
        }
        found.push(fact);
        rest = &rest[end + part.len()..];
        before = part;
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::{ALL, Lang, facts};

    #[test]
    fn a_problem_is_told_in_french_with_its_facts() {
        let said = |text: &str| Lang::Fr.told(text).unwrap_or_else(|| format!("[en] {text}"));
        insta::assert_snapshot!([
            said("there is no field `homeAddress.contry`"),
            said("Did you mean `homeAddress.country`?"),
            said("The segment `luxury` is in the project file, and is read-only here."),
            said("rule of segment `luxury`: there is no field `pionts`"),
            said("rule of segment `luxury`: something new"),
            said("no profile dataset has a field `a.b`: `a` has no `b`"),
            said("nothing can be delivered"),
            said("2104 rows are 91.0 % fewer than the 23377 of the last run, and max_shrink is 50 %"),
            said("the moon is full"),
            said("failed to reach s3://exports: the bucket does not exist (HTTP 404, NoSuchBucket, request id X1): It is not there."),
            said("a division by zero (people.csv, row 6, field `rule`)"),
            said("failed to open dataset `crm`: cannot read the file (a.csv): Permission denied (os error 13)"),
            said("failed to open dataset `crm`: cannot read the file (a.csv): Stale file handle (os error 116)"),
            said("the ledger failed: (code: 1) SQL logic error"),
            said("no event dataset has a field `x` at character 7 (field `rule`)"),
            said("the value is a text, where the field is a list (a.jsonl, line 2, column 5, field `a`)"),
            said("the field is string here, but integer in a.csv (b.csv, field `x`)"),
            said("expected `,` or `)`, found the end"),
            said("the guard stopped the run: 2104 rows are fewer than min_rows (9999)"),
            said("a condition on events has to be true or false, this is of type float at character 25 (field `rule`)"),
            said("the account `text` is used by destination `text`"),
            said("failed to count segment `loyal`: a division by zero (people.csv, row 6, field `rule`)"),
            said("`luxury` of `daily` and `luxury` of `newsletter` would write the same object `a/b.csv`"),
        ].join("\n"), @r"
        il n’existe pas de champ `homeAddress.contry`
        Vouliez-vous dire `homeAddress.country` ?
        `luxury` est dans le fichier du projet, et se lit seulement ici.
        règle du segment `luxury` : il n’existe pas de champ `pionts`
        [en] rule of segment `luxury`: something new
        aucun jeu de profils n’a de champ `a.b` : `a` n’a pas de `b`
        rien ne peut être livré
        2 104 lignes, 91,0 % de moins que les 23 377 de la dernière exécution ; `max_shrink` est à 50 %
        [en] the moon is full
        s3://exports n’a pas pu être joint : le bucket n’existe pas (HTTP 404, NoSuchBucket, id de requête X1) : « It is not there. »
        une division par zéro (people.csv, ligne 6, champ `rule`)
        le jeu de données `crm` n’a pas pu être ouvert : le fichier ne peut être lu (a.csv) : l’accès est refusé (os error 13)
        le jeu de données `crm` n’a pas pu être ouvert : le fichier ne peut être lu (a.csv) : « Stale file handle (os error 116) »
        le registre a échoué : « (code: 1) SQL logic error »
        aucun jeu d’événements n’a de champ `x`, au caractère 7 (champ `rule`)
        la valeur est un texte, là où le champ est une liste (a.jsonl, ligne 2, colonne 5, champ `a`)
        le champ est de type string ici, mais integer dans a.csv (b.csv, champ `x`)
        attendu : `,` ou `)` ; trouvé : la fin
        le garde-fou a arrêté l’exécution : 2 104 lignes, moins que `min_rows` (9999)
        une condition sur des événements doit être vraie ou fausse, celle-ci est de type float, au caractère 25 (champ `rule`)
        l’objet (compte `text`) est utilisé par : destination `text`
        le segment `loyal` n’a pas pu être compté : une division par zéro (people.csv, ligne 6, champ `rule`)
        `luxury` de `daily` et `luxury` de `newsletter` écriraient le même objet `a/b.csv`
        ");
        assert_eq!(Lang::En.told("the moon is full").as_deref(), Some("the moon is full"));
    }

    #[test]
    fn both_languages_have_the_same_facts() {
        for (english, french) in ALL.iter().flat_map(|table| table.iter()) {
            let count = |text: &str| text.matches('{').count();
            let numbered = french.contains("{2}") || french.contains("{1}");
            assert!(numbered || count(english) == count(french), "{english} | {french}");
            assert_eq!(
                facts(english, english).map(|it| it.len()),
                Some(count(english)),
                "{english}"
            );
            for mark in [" :", " ;", " ?", " !"] {
                assert!(!french.contains(mark), "{french} would break a line at {mark:?}");
            }
        }
    }
}
