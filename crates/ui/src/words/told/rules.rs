//! Rules and expressions, in SQL and in PQL.

/// English and French, as in [`TOLD`](super::TOLD).
pub(super) const TOLD: &[(&str, &str)] = &[
    // Where a text goes wrong
    ("the expression ends where {} should follow", "l’expression finit là où il faut {}"),
    ("`{}` stands where {} should", "`{}` est là où il faut {}"),
    ("`{}` cannot stand between two values", "`{}` ne peut être entre deux valeurs"),
    ("Close every bracket that was opened.", "Fermez chaque parenthèse ouverte."),
    (
        "End the text with a single quote; one inside it is written twice.",
        "Finissez le texte par une apostrophe\u{a0}; une apostrophe dedans s’écrit deux fois.",
    ),
    (
        "Complete the last condition, or take out the word before it.",
        "Complétez la dernière condition, ou retirez le mot qui est devant.",
    ),
    ("Write `{}` instead of `{}`.", "Écrivez `{}` à la place de `{}`."),
    ("the expression is nested too deeply", "l’expression est imbriquée sur trop de niveaux"),
    // What an expression may hold
    ("the events of `{}` have no field `{}`", "les événements de `{}` n’ont pas de champ `{}`"),
    ("no event dataset has a field `{}`", "aucun jeu d’événements n’a de champ `{}`"),
    ("placeholders have no meaning here", "les marques de place n’ont pas de sens ici"),
    ("a list cannot come from a query", "une liste ne peut venir d’une question"),
    ("`*` is not a field", "`*` n’est pas un champ"),
    ("this kind of expression is not available", "cette sorte d’expression n’est pas disponible"),
    (
        "functions over many records are not available",
        "les fonctions sur plusieurs enregistrements ne sont pas disponibles",
    ),
    (
        "an argument cannot be a query without brackets",
        "un argument ne peut être une question sans parenthèses",
    ),
    ("arguments are plain expressions", "les arguments sont des expressions simples"),
    ("`{}` is not available: {}", "`{}` n’est pas disponible\u{a0}: {}"),
    ("`{}` is not available", "`{}` n’est pas disponible"),
    ("its result would differ from run to run", "son résultat varierait d’une exécution à l’autre"),
    (
        "it works on many records, and a rule sees one",
        "elle porte sur plusieurs enregistrements, et une règle en voit un",
    ),
    (
        "its result could be of any length",
        "son résultat pourrait être de n’importe quelle longueur",
    ),
    ("it would make several records of one", "elle ferait plusieurs enregistrements d’un seul"),
    (
        "the type of its result would differ from record to record; take one value with `json_value(text, 'a.b')`",
        "le type de son résultat varierait d’un enregistrement à l’autre\u{a0}; prenez une valeur par `json_value(text, 'a.b')`",
    ),
    (
        "the time of the evaluation is `now()`, in seconds `to_unixtime(now())`",
        "l’heure de l’évaluation est `now()`, en secondes `to_unixtime(now())`",
    ),
    ("user agents are not analysed", "les agents utilisateurs ne sont pas analysés"),
    ("the length has to be a number up to {}", "la longueur doit être un nombre jusqu’à {}"),
    ("a key is missing", "une clé manque"),
    ("Leave it and its value out.", "Retirez-la avec sa valeur."),
    ("Keys of a map differ from each other.", "Les clés d’une map diffèrent entre elles."),
    (
        "Write as many values as keys: `map(['a', 'b'], [x, y])`.",
        "Écrivez autant de valeurs que de clés\u{a0}: `map(['a', 'b'], [x, y])`.",
    ),
    ("two fields have one name", "deux champs ont le même nom"),
    (
        "a condition on events has to be true or false, this is of type {}",
        "une condition sur des événements doit être vraie ou fausse, celle-ci est de type {}",
    ),
    ("a value of type {} cannot be written", "une valeur de type {} ne peut être écrite"),
    ("a column of type {} cannot be written", "une colonne de type {} ne peut être écrite"),
    (
        "only a field can be followed by a dot and a name",
        "seul un champ peut être suivi d’un point et d’un nom",
    ),
    ("a name has to follow the dot", "un nom doit suivre le point"),
    ("the path has more than {} steps", "le chemin a plus de {} étapes"),
    ("positions in a rule count from 1", "les positions dans une règle se comptent à partir de 1"),
    ("Write `[1]` for the first element.", "Écrivez `[1]` pour le premier élément."),
    ("the result of a function is too large", "le résultat d’une fonction est trop grand"),
    // Events
    ("the project has no event dataset `{}`", "le projet n’a pas de jeu d’événements `{}`"),
    (
        "Ask one of the datasets, or give the field one type in all of them.",
        "Interrogez un seul des jeux de données, ou donnez au champ le même type dans tous.",
    ),
    (
        "Give the dataset `timestamp:` with a field that holds a timestamp, a date, or a text such as `2026-01-31T02:00:00Z`.",
        "Donnez au jeu de données `timestamp:` avec un champ qui contient une heure, une date, ou un texte comme `2026-01-31T02:00:00Z`.",
    ),
    ("`{}` takes numbers, this is of type {}", "`{}` prend des nombres, ceci est de type {}"),
    (
        "`{}` takes numbers, timestamps and dates, this is of type {}",
        "`{}` prend des nombres, des heures et des dates, ceci est de type {}",
    ),
    ("this is no distance in time", "ceci n’est pas une distance dans le temps"),
    ("a distance in time is not negative", "une distance dans le temps n’est pas négative"),
    ("a dataset of events has to follow `FROM`", "un jeu d’événements doit suivre `FROM`"),
    (
        "the key of an event dataset has to follow `FROM`",
        "la clé d’un jeu d’événements doit suivre `FROM`",
    ),
    (
        "Leave such values out by a condition, or sum floating point numbers: `sum(CAST(… AS DOUBLE))`.",
        "Écartez de telles valeurs par une condition, ou additionnez des nombres à virgule flottante\u{a0}: `sum(CAST(… AS DOUBLE))`.",
    ),
    (
        "a profile has more than {} events that a sequence looks at",
        "un profil a plus de {} événements qu’une séquence regarde",
    ),
    (
        "Let the conditions of its steps take fewer events, for example those of the last days.",
        "Faites que les conditions de ses pas prennent moins d’événements, par exemple ceux des derniers jours.",
    ),
    // Functions and what they take
    ("`{}` takes a map; {}", "`{}` prend une map\u{a0}; {}"),
    ("`{}` takes a map and a key; {}", "`{}` prend une map et une clé\u{a0}; {}"),
    (
        "`{}` takes a list of keys and a list of values; {}",
        "`{}` prend une liste de clés et une liste de valeurs\u{a0}; {}",
    ),
    ("`{}` takes a list or a map; {}", "`{}` prend une liste ou une map\u{a0}; {}"),
    (
        "`{}` takes a list of single values, a separator, and perhaps a text for what is missing; {}",
        "`{}` prend une liste de valeurs simples, un séparateur, et au besoin un texte pour ce qui manque\u{a0}; {}",
    ),
    ("`{}` takes one text; {}", "`{}` prend un texte\u{a0}; {}"),
    (
        "`{}` takes a text, and perhaps the two letters of a country; {}",
        "`{}` prend un texte, et au besoin les deux lettres d’un pays\u{a0}; {}",
    ),
    (
        "`{}` takes a text, what stands between pairs, and what stands in a pair; {}",
        "`{}` prend un texte, ce qui sépare les paires, et ce qui est au milieu d’une paire\u{a0}; {}",
    ),
    ("`{}` takes a text and a path; {}", "`{}` prend un texte et un chemin\u{a0}; {}"),
    (
        "`{}` takes a text that is an address of the web; {}",
        "`{}` prend un texte qui est une adresse web\u{a0}; {}",
    ),
    (
        "`{}` takes names in single quotes, each followed by its value; {}",
        "`{}` prend des noms entre apostrophes, chacun suivi de sa valeur\u{a0}; {}",
    ),
    ("`{}` takes a list first; {}", "`{}` prend d’abord une liste\u{a0}; {}"),
    ("`{}` takes a list of lists; {}", "`{}` prend une liste de listes\u{a0}; {}"),
    (
        "An object of `to_object` is none; `str_to_object` and `arrays_to_object` make maps.",
        "Un objet de `to_object` n’en est pas une\u{a0}; `str_to_object` et `arrays_to_object` font des maps.",
    ),
    ("Of an object write `x['name']`.", "Pour un objet, écrivez `x['name']`."),
    ("The length of a text is `length(x)`.", "La longueur d’un texte est `length(x)`."),
    (
        "Of an object take its values: `concat_ws(',', x.a, x.b)`.",
        "D’un objet, prenez les valeurs\u{a0}: `concat_ws(',', x.a, x.b)`.",
    ),
    (
        "Convert other values with `CAST(x AS VARCHAR)`.",
        "Convertissez les autres valeurs par `CAST(x AS VARCHAR)`.",
    ),
    (
        "Write `hash_phone(phone, 'FR')`. Of a number, `CAST(phone AS VARCHAR)` is a text; zeros that it began with are lost, unless the field is declared as a string under `types:`.",
        "Écrivez `hash_phone(phone, 'FR')`. D’un nombre, `CAST(phone AS VARCHAR)` fait un texte\u{a0}; les zéros du début sont perdus, sauf si le champ est déclaré comme `string` sous `types:`.",
    ),
    ("A list of values is written `[a, b]`.", "Une liste de valeurs s’écrit `[a, b]`."),
    (
        "Write the two letters of a country: `FR`.",
        "Écrivez les deux lettres d’un pays\u{a0}: `FR`.",
    ),
    ("Write a name such as `Europe/Paris`.", "Écrivez un nom comme `Europe/Paris`."),
    ("`{}` says nothing about the anchor", "`{}` ne dit rien de l’ancre"),
    (
        "the text between pairs, or in a pair, is empty",
        "le texte entre les paires, ou au milieu d’une paire, est vide",
    ),
    ("this is no path: {}", "ceci n’est pas un chemin\u{a0}: {}"),
    (
        "the lists of keys and values of a map have different lengths",
        "les listes de clés et de valeurs d’une map n’ont pas la même longueur",
    ),
    (
        "a list of keys and a list of values that are to be a map have different lengths",
        "une liste de clés et une liste de valeurs qui doivent faire une map n’ont pas la même longueur",
    ),
    (
        "Where lengths may differ, let such records have no map: `CASE WHEN cardinality(k) = cardinality(v) THEN map(k, v) END`.",
        "Là où les longueurs peuvent différer, ne faites pas de map\u{a0}: `CASE WHEN cardinality(k) = cardinality(v) THEN map(k, v) END`.",
    ),
    ("two keys of a map are the same", "deux clés d’une map sont les mêmes"),
    (
        "Where keys may repeat, let such records have no map: `CASE WHEN cardinality(array_distinct(k)) = cardinality(k) THEN map(k, v) END`.",
        "Là où des clés peuvent se répéter, ne faites pas de map\u{a0}: `CASE WHEN cardinality(array_distinct(k)) = cardinality(k) THEN map(k, v) END`.",
    ),
    ("a key of a map is missing", "une clé d’une map manque"),
    (
        "Where keys may be missing, let such records have no map: `CASE WHEN cardinality(array_compact(k)) = cardinality(k) THEN map(k, v) END`.",
        "Là où des clés peuvent manquer, ne faites pas de map\u{a0}: `CASE WHEN cardinality(array_compact(k)) = cardinality(k) THEN map(k, v) END`.",
    ),
    ("a list and its keys differ in length", "une liste et ses clés n’ont pas la même longueur"),
    ("{} takes a list", "{} prend une liste"),
    ("expected a list, found {}", "il faut une liste, or ceci est {}"),
    (
        "{} takes a list, a list of keys and a count",
        "{} prend une liste, une liste de clés et un nombre",
    ),
    ("the count of {} is a whole number", "le nombre de {} est un nombre entier"),
    ("two lists make a map", "deux listes font une map"),
    ("the letter `{}` cannot be read from a text", "la lettre `{}` ne peut être lue d’un texte"),
    (
        "date takes a text, its pattern, and perhaps a time for other texts",
        "`date` prend un texte, son motif, et au besoin une heure pour les autres textes",
    ),
    ("{} takes a time and a pattern", "{} prend une heure et un motif"),
    ("the pattern is longer than {} characters", "le motif dépasse {} caractères"),
    (
        "the letter `{}` has no meaning in the pattern of a time",
        "la lettre `{}` n’a pas de sens dans le motif d’une heure",
    ),
    ("a quote in the pattern is not closed", "une apostrophe du motif n’est pas fermée"),
    (
        "set_date_part takes the name of a part, a time and a whole number",
        "`set_date_part` prend le nom d’une partie, une heure et un nombre entier",
    ),
    (
        "make_date_time takes seven whole numbers, year to nanosecond, and a zone",
        "`make_date_time` prend sept nombres entiers, de l’année à la nanoseconde, et un fuseau",
    ),
    ("a time zone is a text in single quotes", "un fuseau horaire est un texte entre apostrophes"),
    (
        "the first argument of `to_array` is `TRUE` or `FALSE`",
        "le premier argument de `to_array` est `TRUE` ou `FALSE`",
    ),
    (
        "It tells whether what is missing is kept: `to_array(FALSE, a, b)`.",
        "Il dit si ce qui manque est gardé\u{a0}: `to_array(FALSE, a, b)`.",
    ),
    (
        "digests are of the UTF-8 bytes of a text, and not of `{}`",
        "les empreintes portent sur les octets UTF-8 d’un texte, et non sur `{}`",
    ),
    (
        "`{}` is a text of hexadecimal digits already",
        "`{}` est déjà un texte de chiffres hexadécimaux",
    ),
    (
        "Leave `encode` out, or take the bytes with `digest(x, '{}')`.",
        "Retirez `encode`, ou prenez les octets par `digest(x, '{}')`.",
    ),
    ("the expression failed for a value", "l’expression a échoué pour une valeur"),
    // PQL
    ("the rule is longer than {} bytes", "la règle dépasse {} octets"),
    ("the rule has more than {} words and signs", "la règle a plus de {} mots et signes"),
    ("`'` begins nothing in PQL", "`'` ne commence rien en PQL"),
    ("Put texts between double quotes.", "Mettez les textes entre guillemets."),
    ("`{}` begins nothing in PQL", "`{}` ne commence rien en PQL"),
    ("the text holds a control character", "le texte contient un caractère de contrôle"),
    ("the text has no closing quote", "le texte n’a pas de guillemet fermant"),
    ("the name has no closing back quote", "le nom n’a pas d’accent grave fermant"),
    (
        "a name between back quotes is empty or holds a control character",
        "un nom entre accents graves est vide ou contient un caractère de contrôle",
    ),
    ("`$` is not followed by a number", "`$` n’est pas suivi d’un nombre"),
    ("`$1` is the profile.", "`$1` est le profil."),
    ("a number is followed by a letter", "un nombre est suivi d’une lettre"),
    ("the number is too large", "le nombre est trop grand"),
    (
        "Count or add up with a condition instead: `orders.filter(store = 1)`.",
        "Comptez ou additionnez plutôt avec une condition\u{a0}: `orders.filter(store = 1)`.",
    ),
    (
        "Write the condition without a map of results.",
        "Écrivez la condition sans map de résultats.",
    ),
    ("a rule has one parameter, the profile", "une règle a un paramètre, le profil"),
    ("Events are `xEvent`.", "Les événements sont `xEvent`."),
    ("the rule is nested more than {} deep", "la règle est imbriquée sur plus de {} niveaux"),
    ("a comparison is compared once more", "une comparaison est comparée encore une fois"),
    ("Join two comparisons with `and`.", "Joignez deux comparaisons par `and`."),
    ("`==` is no operator of PQL", "`==` n’est pas un opérateur de PQL"),
    ("expected {}, found {}", "attendu\u{a0}: {}\u{a0}; trouvé\u{a0}: {}"),
    (
        "Write `x notIn […]`, or `not (…)` around the condition.",
        "Écrivez `x notIn […]`, ou `not (…)` autour de la condition.",
    ),
    ("a chain goes over `xEvent`", "une chaîne parcourt `xEvent`"),
    ("the step has `{}` twice", "le pas a deux fois `{}`"),
    ("a step of a chain has no `{}`", "un pas d’une chaîne n’a pas de `{}`"),
    (
        "Behind `WHAT(…)` there can be `WHEN(…)`, `COUNT(…)`, `WITHIN(7 days)` and `AFTER(1 hour)`.",
        "Derrière `WHAT(…)` il peut y avoir `WHEN(…)`, `COUNT(…)`, `WITHIN(7 days)` et `AFTER(1 hour)`.",
    ),
    (
        "a rule has one parameter, so there is no `${}`",
        "une règle a un paramètre, il n’y a donc pas de `${}`",
    ),
    (
        "`$1` is the profile; events are `xEvent`.",
        "`$1` est le profil\u{a0}; les événements sont `xEvent`.",
    ),
    ("the calendar has no such day", "le calendrier n’a pas ce jour"),
    ("`select` is not followed by a variable", "`select` n’est pas suivi d’une variable"),
    ("a comparison before the number", "une comparaison devant le nombre"),
    ("unknown unit of time `{}`", "unité de temps inconnue `{}`"),
    (
        "Units go from `milliseconds` to `millennia`.",
        "Les unités vont de `milliseconds` à `millennia`.",
    ),
    ("a condition is expected here, this is {}", "il faut ici une condition, or ceci est {}"),
    (
        "Compare it with a value: `loyalty.points >= 1000`.",
        "Comparez-le à une valeur\u{a0}: `loyalty.points >= 1000`.",
    ),
    ("events cannot be used as a value", "des événements ne peuvent servir de valeur"),
    (
        "Count them, add up a field of them, or ask whether one exists.",
        "Comptez-les, additionnez-en un champ, ou demandez s’il en existe un.",
    ),
    (
        "a function stands only as the argument of another",
        "une fonction n’est que l’argument d’une autre",
    ),
    ("an empty list has no meaning here", "une liste vide n’a pas de sens ici"),
    ("the rule becomes more than {} bytes of SQL", "la règle devient plus de {} octets de SQL"),
    ("Split the segment.", "Divisez le segment."),
    ("`{}` takes {}, found {}", "`{}`\u{a0}: {}, reçu\u{a0}: {}"),
    (
        "the number of elements is not a whole number",
        "le nombre d’éléments n’est pas un nombre entier",
    ),
    (
        "a chain cannot begin with what must not happen",
        "une chaîne ne peut commencer par ce qui ne doit pas arriver",
    ),
    ("Negate the whole: `not (CHAIN(…))`.", "Niez le tout\u{a0}: `not (CHAIN(…))`."),
    ("a chain of more than {} steps", "une chaîne de plus de {} pas"),
    ("what must not happen has no `AFTER`", "ce qui ne doit pas arriver n’a pas de `AFTER`"),
    (
        "in a chain of several steps `COUNT` can only say at least how many",
        "dans une chaîne de plusieurs pas, `COUNT` ne peut dire qu’un minimum",
    ),
    (
        "Write `COUNT(5)` with a number from 1 and without `WITHIN`, `AFTER` or `not`; for other counts use a chain of one step.",
        "Écrivez `COUNT(5)` avec un nombre à partir de 1 et sans `WITHIN`, `AFTER` ni `not`\u{a0}; pour d’autres comptes, prenez une chaîne d’un pas.",
    ),
    (
        "the first step of a chain has no step before it",
        "le premier pas d’une chaîne n’a pas de pas avant lui",
    ),
    (
        "Say when it happened with `WHEN(<= 7 days before now)`.",
        "Dites quand c’était par `WHEN(<= 7 days before now)`.",
    ),
    (
        "a calculated value of events has no fields",
        "une valeur calculée d’événements n’a pas de champs",
    ),
    (
        "`{}` does not know of which field of the events",
        "`{}` ne sait pas de quel champ des événements",
    ),
    ("the segment is not a text", "le segment n’est pas un texte"),
    (
        "Write `inSegment(\"…\")` with the key, id or name of a segment.",
        "Écrivez `inSegment(\"…\")` avec la clé, l’identifiant ou le nom d’un segment.",
    ),
    ("Write the key of the one that is meant.", "Écrivez la clé de celui qui est visé."),
    ("It stands behind a value: `{}`.", "Elle s’écrit derrière une valeur\u{a0}: `{}`."),
    ("It stands alone: `{}`.", "Elle s’écrit seule\u{a0}: `{}`."),
    ("`{}` is not available for events", "`{}` n’est pas disponible pour des événements"),
    (
        "Of events there are `count`, `sum`, `average`, `min`, `max`, `exists`, `filter` and `CHAIN`.",
        "Pour des événements il y a `count`, `sum`, `average`, `min`, `max`, `exists`, `filter` et `CHAIN`.",
    ),
    ("the position is too large", "la position est trop grande"),
    ("events have no position", "les événements n’ont pas de position"),
    ("Ask with `exists E from xEvent where …`.", "Demandez par `exists E from xEvent where …`."),
    (
        "a condition on events cannot name a field of the profile",
        "une condition sur des événements ne peut nommer un champ du profil",
    ),
    (
        "Begin fields of the event with its variable (`E.eventType`); put conditions on the profile outside, joined with `and`.",
        "Commencez les champs de l’événement par sa variable (`E.eventType`)\u{a0}; mettez les conditions sur le profil au-dehors, jointes par `and`.",
    ),
    ("an event as a whole has no value", "un événement entier n’a pas de valeur"),
    ("Name one of its fields: `{}`.", "Nommez l’un de ses champs\u{a0}: `{}`."),
    ("the profile as a whole has no value", "le profil entier n’a pas de valeur"),
    (
        "a condition on events cannot ask for events again",
        "une condition sur des événements ne peut en demander encore",
    ),
    (
        "a condition on the elements of a list cannot ask for events",
        "une condition sur les éléments d’une liste ne peut demander d’événements",
    ),
    (
        "Ask for both on their own, joined with `and`; events one behind the other are a `CHAIN`.",
        "Demandez chacun à part, joints par `and`\u{a0}; des événements l’un derrière l’autre sont une `CHAIN`.",
    ),
    (
        "whether case matters is `true` or `false`",
        "la prise en compte de la casse est `true` ou `false`",
    ),
    ("the pattern is not a text", "le motif n’est pas un texte"),
    ("the group is not a number from 0 to 100", "le groupe n’est pas un nombre de 0 à 100"),
    ("the calendar ends on this day", "le calendrier finit ce jour-là"),
    (
        "a stretch of this length cannot be used here",
        "une durée de cette longueur ne peut servir ici",
    ),
    (
        "Decades and longer work with `occurs this decade`, `occurs before this century`; write years otherwise.",
        "Décennies et plus vont avec `occurs this decade`, `occurs before this century`\u{a0}; sinon, écrivez des années.",
    ),
    ("a distance of more than {} years", "une distance de plus de {} ans"),
    ("the rule cannot be translated", "la règle ne peut être traduite"),
    ("the path is too long", "le chemin est trop long"),
    ("the path has too many steps", "le chemin a trop d’étapes"),
    ("a path starts with a field", "un chemin commence par un champ"),
    ("expected a field name", "il faut un nom de champ"),
    ("expected `.` or `[`", "il faut `.` ou `[`"),
    ("expected `]`", "il faut `]`"),
    ("the quoted name has no end", "le nom entre guillemets n’a pas de fin"),
    (
        "expected a position such as `0`, or a quoted name",
        "il faut une position comme `0`, ou un nom entre guillemets",
    ),
    ("not a field: {}", "ce n’est pas un champ\u{a0}: {}"),
    (
        "segments rest on each other in a circle, or more than {} deep",
        "des segments reposent en cercle les uns sur les autres, ou sur plus de {} niveaux",
    ),
    // What the engine says of types
    (
        "cannot coerce arithmetic expression {} to valid types",
        "le calcul {} ne se fait pas entre ces types",
    ),
    (
        "function '{}' expects {} arguments but received {}. No function matches the given name and argument types '{}'. You might need to add explicit type casts",
        "la fonction `{1}` demande un autre nombre d’arguments\u{a0}: {2} au lieu de {3}",
    ),
    ("unsupported SQL type {}", "le type SQL {} n’est pas pris en charge"),
    ("{} expected a list as first argument, got {}", "{} prend d’abord une liste, et a reçu {}"),
    ("Write one of {}.", "Écrivez l’un de ceux-ci\u{a0}: {}."),
    ("It has {}, and `{}` for all.", "Il a {}, et `{}` pour tous."),
];
