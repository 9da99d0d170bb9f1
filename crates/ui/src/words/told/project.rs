//! Definitions that do not fit, and the project file.

/// English and French, as in [`TOLD`](super::TOLD).
pub(super) const TOLD: &[(&str, &str)] = &[
    // Fields that do not fit
    (
        "`{}` is {} and does not tell who opted out",
        "`{}` est de type {} et ne dit pas qui a refusé",
    ),
    (
        "`{}` of `{}` is {} and `{}` of `{}` is {}: they cannot be compared",
        "`{}` de `{}` est de type {} et `{}` de `{}` de type {}\u{a0}: ils ne se comparent pas",
    ),
    (
        "Let all profile datasets tell time by timestamps or dates, or all by numbers.",
        "Faites que tous les jeux de profils disent l’heure par des timestamps ou des dates, ou tous par des nombres.",
    ),
    ("`{}` is {} and does not tell a time", "`{}` est de type {} et ne dit pas d’heure"),
    ("Choose a timestamp or a date.", "Choisissez un timestamp ou une date."),
    (
        "`{}` is {} and cannot identify a person",
        "`{}` est de type {} et ne peut identifier une personne",
    ),
    (
        "Choose a field of text or of whole numbers.",
        "Choisissez un champ de texte ou de nombres entiers.",
    ),
    ("`{}` holds {}, which has no form as text", "`{}` contient {}, qui n’a pas de forme en texte"),
    (
        "Map an expression that turns it into text, such as `encode(…, 'hex')`.",
        "Choisissez une expression qui en fait un texte, comme `encode(…, 'hex')`.",
    ),
    (
        "`{}` is {} and cannot be a deduplication key",
        "`{}` est de type {} et ne peut être une clé de dédoublonnage",
    ),
    (
        "Choose a single value, such as an identity.",
        "Choisissez une valeur simple, comme une identité.",
    ),
    ("`{}` is {} and is written as JSON text", "`{}` est de type {} et s’écrit comme texte JSON"),
    (
        "Map one of its values if the reader expects a plain cell.",
        "Choisissez l’une de ses valeurs si le lecteur attend une cellule simple.",
    ),
    ("there is no activation `{}`", "il n’existe pas d’activation `{}`"),
    (
        "the activation `{}` does not send a segment `{}`",
        "l’activation `{}` n’envoie pas de segment `{}`",
    ),
    (
        "the object `{}` would also be written by `{}` of `{}`",
        "l’objet `{}` serait aussi écrit par `{}` de `{}`",
    ),
    // Secrets and variables in definitions
    (
        "a secret stands where its value would be shown",
        "un secret est là où sa valeur serait montrée",
    ),
    (
        "Use `${}` and `${}` for credentials, and a variable here.",
        "Servez-vous de `${}` et de `${}` pour les identifiants, et d’une variable ici.",
    ),
    ("a secret stands beside other text", "un secret est à côté d’un autre texte"),
    (
        "Write the reference alone; the secret is used as it is.",
        "Écrivez la référence seule\u{a0}; le secret sert tel quel.",
    ),
    ("`${}` holds no name of a variable", "`${}` ne contient pas de nom de variable"),
    ("Write {}; {} stands for a plain {}.", "Écrivez {}\u{a0}; {} est un simple {}."),
    ("the secret in {} cannot be read: {}", "le secret dans {} ne peut être lu\u{a0}: {}"),
    (
        "The path is relative to the project file, or absolute.",
        "Le chemin est relatif au fichier du projet, ou absolu.",
    ),
    (
        "the secret `{}` cannot be had here: no store of secrets is open",
        "le secret `{}` ne peut être pris ici\u{a0}: aucun coffre de secrets n’est ouvert",
    ),
    ("the secret `{}` cannot be opened: {}", "le secret `{}` ne peut être ouvert\u{a0}: {}"),
    ("Use a variable.", "Servez-vous d’une variable."),
    ("the variable `{}` is not set", "la variable `{}` n’est pas donnée"),
    (
        "Set `{}` in the environment, or write `${}`.",
        "Donnez `{}` dans l’environnement, ou écrivez `${}`.",
    ),
    (
        "Store the key as a secret, and write `${}`.",
        "Gardez la clé comme secret, et écrivez `${}`.",
    ),
    (
        "`${}` reads a file of the server, which is not for stored objects",
        "`${}` lit un fichier du serveur, ce qui n’est pas pour les objets gardés ici",
    ),
    ("the variable holds an unknown value", "la variable contient une valeur inconnue"),
    (
        "the stored {} `{}` is not used: the file has one of this key",
        "l’objet gardé `{2}` ne sert pas\u{a0}: le fichier en a un de cette clé",
    ),
    (
        "Remove the stored one with `segue apply --prune`, or rename this one.",
        "Retirez celui qui est gardé par `segue apply --prune`, ou renommez celui-ci.",
    ),
    // The form of values
    ("expected {}", "il faut {}"),
    ("expected {} to {}", "il faut de {} à {}"),
    ("expected {} or more", "il faut {} ou plus"),
    ("expected {} or less", "il faut {} ou moins"),
    ("Known here: {}.", "Connus ici\u{a0}: {}."),
    ("Shorten it.", "Raccourcissez-le."),
    (
        "Add `- segment: …`, or remove the activation.",
        "Ajoutez `- segment: …`, ou retirez l’activation.",
    ),
    ("the folder has an empty step (`//`)", "le dossier a une étape vide (`//`)"),
    ("Did you mean `{}`? {}", "Vouliez-vous dire `{}`\u{a0}? {}"),
    ("`{}` is followed by a namespace", "`{}` est suivi d’un espace de noms"),
    (
        "Did you mean `{}`? It is that of the segment being sent.",
        "Vouliez-vous dire `{}`\u{a0}? C’est celui du segment envoyé.",
    ),
    ("exits are kept for at most {} days", "les sorties sont gardées au plus {} jours"),
    ("Write a smaller number.", "Écrivez un nombre plus petit."),
    ("an evaluation cannot begin after itself", "une évaluation ne peut commencer après elle-même"),
    // Datasets
    (
        "A database is read with the user and the password of its address.",
        "Une base est lue avec l’utilisateur et le mot de passe de son adresse.",
    ),
    ("this is not the address of a database", "ceci n’est pas l’adresse d’une base"),
    (
        "a dataset is either a `table` or a `query`",
        "un jeu de données est soit une `table`, soit une `query`",
    ),
    (
        "Add `table: customers`, or `query:` with a SELECT.",
        "Ajoutez `table: customers`, ou `query:` avec un SELECT.",
    ),
    ("a database needs a `table` or a `query`", "une base demande une `table` ou une `query`"),
    ("the address holds a password in the clear", "l’adresse contient un mot de passe en clair"),
    (
        "Write `password: ${}` below it and set the variable; replace the password if the file was shared.",
        "Écrivez `password: ${}` dessous et donnez la variable\u{a0}; remplacez le mot de passe si le fichier a été partagé.",
    ),
    (
        "Write `password: ${}` and set the variable; replace the password if the file was shared.",
        "Écrivez `password: ${}` et donnez la variable\u{a0}; remplacez le mot de passe si le fichier a été partagé.",
    ),
    ("the namespace `{}` is that of `{}` already", "l’espace de noms `{}` est déjà celui de `{}`"),
    (
        "A record has one value of each namespace; keep one of the two fields.",
        "Un enregistrement a une valeur par espace de noms\u{a0}; gardez l’un des deux champs.",
    ),
    ("`{}` is for {} only", "`{}` est pour {} seulement"),
    ("this character cannot be the {}", "ce caractère ne peut être le {}"),
    ("the {} is not one character", "le {} n’est pas un seul caractère"),
    (
        "the {} cannot be a letter, a digit, a line end or NUL",
        "le {} ne peut être une lettre, un chiffre, une fin de ligne ou NUL",
    ),
    ("Delta tables declare their own types", "les tables Delta déclarent leurs types"),
    ("the project has more than {} event datasets", "le projet a plus de {} jeux d’événements"),
    ("the project has more than {} profile datasets", "le projet a plus de {} jeux de profils"),
    (
        "Let one dataset read several files: `location` may be a folder or a glob.",
        "Faites lire plusieurs fichiers par un seul jeu de données\u{a0}: `location` peut être un dossier ou un motif.",
    ),
    (
        "`events` is what rules call all event datasets together",
        "`events` est ce que les règles appellent tous les jeux d’événements ensemble",
    ),
    ("Give the dataset another key.", "Donnez une autre clé au jeu de données."),
    (
        "Import a file or a Delta table, or make the database a dataset of the project.",
        "Importez un fichier ou une table Delta, ou faites de la base un jeu de données du projet.",
    ),
    ("segments are not imported from databases", "les segments ne s’importent pas de bases"),
    ("`{}` stands twice in the order", "`{}` est deux fois dans l’ordre"),
    ("Keep the first of the two.", "Gardez le premier des deux."),
    ("there is no profile dataset `{}`", "il n’existe pas de jeu de profils `{}`"),
    ("the order of precedence leaves out {}", "l’ordre de préséance oublie {}"),
    (
        "Name every profile dataset, the one that wins first.",
        "Nommez tous les jeux de profils, celui qui l’emporte d’abord.",
    ),
    (
        "merging several datasets needs a `timestamp` in `{}`",
        "réunir plusieurs jeux de données demande un `timestamp` dans `{}`",
    ),
    // Files
    (
        "Write `{}: \"\"` for nothing, or the text in quotes.",
        "Écrivez `{}: \"\"` pour rien, ou le texte entre guillemets.",
    ),
    ("the text for `{}` is longer than 64 bytes", "le texte pour `{}` dépasse 64 octets"),
    (
        "the text for `{}` holds a control character",
        "le texte pour `{}` contient un caractère de contrôle",
    ),
    ("the text for `{}` holds the delimiter", "le texte pour `{}` contient le séparateur"),
    ("the text for `{}` holds the quote character", "le texte pour `{}` contient le guillemet"),
    (
        "the file name has {} characters, more than {}",
        "le nom de fichier a {} caractères, plus que {}",
    ),
    ("the object key has {} bytes, more than {}", "la clé de l’objet a {} octets, plus que {}"),
    (
        "a further file of {} would write the object `{}` of {}",
        "un fichier suivant de {} écrirait l’objet `{}` de {}",
    ),
    (
        "the objects of {} differ in case only: `{}`",
        "les objets de {} ne diffèrent que par la casse\u{a0}: `{}`",
    ),
    ("the metadata has {} bytes", "les métadonnées font {} octets"),
    (
        "Names and values have at most 1536 bytes together.",
        "Noms et valeurs font ensemble au plus 1536 octets.",
    ),
    (
        "Name the recipients with `pgp: [keys/partner.asc]`, or remove it.",
        "Nommez les destinataires par `pgp: [keys/partner.asc]`, ou retirez-le.",
    ),
    (
        "Name the file with the public key of each recipient, or remove `pgp`.",
        "Nommez le fichier de la clé publique de chaque destinataire, ou retirez `pgp`.",
    ),
    (
        "the files are encrypted for more than {} keys",
        "les fichiers sont chiffrés pour plus de {} clés",
    ),
    ("Make a destination for each group.", "Faites une destination pour chaque groupe."),
    ("Name the key, or remove it.", "Nommez la clé, ou retirez-la."),
    (
        "Name a file that only this user can read, or write `pgp_sign: ${}`; replace the key if the file was shared.",
        "Nommez un fichier que seul cet utilisateur peut lire, ou écrivez `pgp_sign: ${}`\u{a0}; remplacez la clé si le fichier a été partagé.",
    ),
    ("{} has more than {} bytes", "{} a plus de {} octets"),
    (
        "A file with a key is much smaller: is it the right file?",
        "Un fichier avec une clé est bien plus petit\u{a0}: est-ce le bon\u{a0}?",
    ),
    // Schedules, segments, policies
    (
        "Write minutes, hours or days between 1m and 366d: `90m`, `24h`, `7d`.",
        "Écrivez des minutes, heures ou jours entre 1m et 366d\u{a0}: `90m`, `24h`, `7d`.",
    ),
    ("this is not a catch-up window", "ceci n’est pas un délai de rattrapage"),
    (
        "`catch_up_window` says nothing with `catch_up: none`",
        "`catch_up_window` ne dit rien avec `catch_up: none`",
    ),
    ("Remove one of the two.", "Retirez l’un des deux."),
    ("the segment {} rests on itself", "le segment {} repose sur lui-même"),
    (
        "there are more than {} labelled fields and policies",
        "il y a plus de {} champs étiquetés et politiques",
    ),
    ("Label the fields around them.", "Étiquetez les champs qui les entourent."),
    ("a policy without `{}` forbids nothing", "une politique sans `{}` n’interdit rien"),
    ("Name at least one.", "Nommez-en au moins une."),
    ("no field has the label `{}`", "aucun champ n’a l’étiquette `{}`"),
    (
        "Label fields under `labels:` of their datasets.",
        "Étiquetez des champs sous `labels:` de leurs jeux de données.",
    ),
    (
        "a label is one word of at most 64 characters",
        "une étiquette est un mot d’au plus 64 caractères",
    ),
    (
        "Write for example `I1`; in a policy, `I1 AND S1` where both have to be there.",
        "Écrivez par exemple `I1`\u{a0}; dans une politique, `I1 AND S1` là où il faut les deux.",
    ),
    ("`{}` is no {} ({})", "`{}` n’est pas une valeur pour {} ({})"),
    ("not a cron expression", "ce n’est pas une expression cron"),
    ("there are {} problems more", "il y a encore {} problèmes"),
    ("the project would have 1 problem", "le projet aurait un problème"),
    ("the project would have {} problems", "le projet aurait {} problèmes"),
    ("the project would have 1 problem: {}", "le projet aurait un problème\u{a0}: {}"),
    ("the project would have {} problems: {}", "le projet aurait {} problèmes\u{a0}: {}"),
    ("The project would have 1 problem.", "Le projet aurait un problème."),
    // The project file, where a page tells that it cannot be used
    ("the project file is larger than {} bytes", "le fichier du projet dépasse {} octets"),
    ("the project file is empty", "le fichier du projet est vide"),
    (
        "Begin with `version: 1` and `name:`, or let `segue init` write one.",
        "Commencez par `version: 1` et `name:`, ou faites-en écrire un par `segue init`.",
    ),
    ("a second document begins here", "un second document commence ici"),
    (
        "Keep one project per file, without `---` in the middle.",
        "Gardez un projet par fichier, sans `---` au milieu.",
    ),
    ("the tag `{}` is not supported", "la marque `{}` n’est pas prise en charge"),
    ("Remove the tag.", "Retirez la marque."),
    ("a key must be text", "une clé doit être un texte"),
    ("this alias stands inside what it repeats", "cet alias est à l’intérieur de ce qu’il répète"),
    ("the project file has more than {} values", "le fichier du projet a plus de {} valeurs"),
    ("this is not YAML: {}", "ceci n’est pas du YAML\u{a0}: «\u{a0}{}\u{a0}»"),
    (
        "Put `${}` in quotes inside braces.",
        "Mettez `${}` entre guillemets à l’intérieur d’accolades.",
    ),
    (
        "Put a value that begins with `%` in quotes.",
        "Mettez entre guillemets une valeur qui commence par `%`.",
    ),
    (
        "Put a value that begins with this character in quotes.",
        "Mettez entre guillemets une valeur qui commence par ce caractère.",
    ),
    (
        "Indent with spaces; YAML does not allow tabs there.",
        "Décalez par des espaces\u{a0}; YAML n’y permet pas de tabulations.",
    ),
    (
        "Check indentation, quotes and colons here and on the line before.",
        "Vérifiez décalage, guillemets et deux-points ici et à la ligne d’avant.",
    ),
    ("the nesting is deeper than {} levels", "l’imbrication dépasse {} niveaux"),
    (
        "Merge keys are not supported; repeat the keys.",
        "Les clés de fusion ne sont pas prises en charge\u{a0}; répétez les clés.",
    ),
    ("expected a mapping under `{}`", "il faut des clés et leurs valeurs sous `{}`"),
    ("the file cannot be decoded: {}", "le fichier ne peut être décodé\u{a0}: «\u{a0}{}\u{a0}»"),
    ("failed to read the project file {}", "le fichier du projet {} n’a pas pu être lu"),
    ("{} has 1 problem", "{} a un problème"),
    ("{} has {} problems", "{} a {} problèmes"),
    ("there is no project file at {}", "il n’y a pas de fichier du projet à {}"),
    ("the stored object {}/{} is damaged", "l’objet gardé {}/{} est abîmé"),
    ("Restore the ledger from a backup.", "Restaurez le registre d’une sauvegarde."),
    // What is not there
    ("the project has no activation `{}`", "le projet n’a pas d’activation `{}`"),
    ("the project has no segment `{}`", "le projet n’a pas de segment `{}`"),
    ("the project has no destination `{}`", "le projet n’a pas de destination `{}`"),
    ("the project has no account `{}`", "le projet n’a pas de compte `{}`"),
    ("There is no activation `{}`.", "Il n’existe pas d’activation `{}`."),
    ("There is no segment `{}`.", "Il n’existe pas de segment `{}`."),
    ("There is no destination `{}`.", "Il n’existe pas de destination `{}`."),
    ("There is no account `{}`.", "Il n’existe pas de compte `{}`."),
    ("There is no dataset `{}`.", "Il n’existe pas de jeu de données `{}`."),
    ("There is no run `{}`.", "Il n’existe pas d’exécution `{}`."),
    ("There is no user `{}`.", "Il n’existe pas d’utilisateur `{}`."),
    ("There is no token `{}`.", "Il n’existe pas de jeton `{}`."),
    ("There is no secret `{}`.", "Il n’existe pas de secret `{}`."),
];
