//! What segments, accounts, destinations and activations may say.

/// English and French, as in [`TOLD`](super::TOLD).
pub(super) const TOLD: &[(&str, &str)] = &[
    // Names and keys
    ("the name is empty", "le nom est vide"),
    ("the name begins or ends with a space", "le nom commence ou finit par une espace"),
    ("the name holds a control character", "le nom contient un caractère de contrôle"),
    ("the name is longer than 200 characters", "le nom dépasse 200 caractères"),
    ("Choose a short, plain name.", "Choisissez un nom court et simple."),
    (
        "a key is made of letters, digits, `-`, `_` and `.`, begins with a letter or a digit, and has at most 64 characters",
        "une clé est faite de lettres, de chiffres, de `-`, `_` et `.`, commence par une lettre ou un chiffre, et a au plus 64 caractères",
    ),
    (
        "Shorten the key; `name:` may hold any text.",
        "Raccourcissez la clé\u{a0}; `name:` peut être n’importe quel texte.",
    ),
    ("the id is not a UUID", "l’identifiant n’est pas un UUID"),
    (
        "Leave the key out, or write for example `{}`.",
        "Retirez la clé, ou écrivez par exemple `{}`.",
    ),
    ("`{}` and `{}` have the same id", "`{}` et `{}` ont le même identifiant"),
    (
        "Give each an id of its own, or leave it out.",
        "Donnez à chacun son identifiant, ou n’en donnez pas.",
    ),
    ("`{}` and `{}` have the same name", "`{}` et `{}` ont le même nom"),
    ("People cannot tell them apart.", "On ne peut les distinguer."),
    ("Add it under `{}:`.", "Ajoutez-le sous `{}:`."),
    ("the key `{}` is missing", "la clé `{}` manque"),
    ("unknown key `{}`", "clé inconnue `{}`"),
    ("unknown value `{}`", "valeur inconnue `{}`"),
    ("the key `{}` is written twice", "la clé `{}` est écrite deux fois"),
    (
        "It is already on line {}; rename or remove one of the two.",
        "Elle est déjà à la ligne {}\u{a0}; renommez ou retirez l’une des deux.",
    ),
    ("Put the value in quotes.", "Mettez la valeur entre guillemets."),
    ("Remove it.", "Retirez-le."),
    ("Remove one of them.", "Retirez l’un d’eux."),
    ("Keep one of the two.", "Gardez l’un des deux."),
    (
        "`{}`: The account that owns the credentials.",
        "`{}`\u{a0}: le compte qui a les identifiants.",
    ),
    ("`{}`: The bucket, by its bare name.", "`{}`\u{a0}: le bucket, par son nom seul."),
    ("`{}`: The destination.", "`{}`\u{a0}: la destination."),
    // Accounts
    ("`{}` does not belong to `kind: {}`", "`{}` ne va pas avec `kind: {}`"),
    (
        "the role is assumed either by a key or by a profile",
        "le rôle est pris soit par une clé, soit par un profil",
    ),
    (
        "Write for example `role_arn: arn:aws:iam::123456789012:role/segue`.",
        "Écrivez par exemple `role_arn: arn:aws:iam::123456789012:role/segue`.",
    ),
    ("`kind: assume-role` needs a `role_arn`", "`kind: assume-role` demande un `role_arn`"),
    ("this is not the ARN of a role", "ceci n’est pas l’ARN d’un rôle"),
    (
        "Write for example `arn:aws:iam::123456789012:role/segue`.",
        "Écrivez par exemple `arn:aws:iam::123456789012:role/segue`.",
    ),
    ("more than {} roles are on the way", "il y a plus de {} rôles en chemin"),
    ("Let an earlier role assume the last one.", "Faites prendre le dernier par un rôle d’avant."),
    ("this is not an external id", "ceci n’est pas un identifiant externe"),
    (
        "Leave it out: one is made for the account, and `segue policy` shows it.",
        "Ne le donnez pas\u{a0}: il en est fait un pour le compte, et `segue policy` le montre.",
    ),
    (
        "Write `{}: ${}` and set the variable; replace the key if the file was shared.",
        "Écrivez `{}: ${}` et donnez la variable\u{a0}; remplacez la clé si le fichier a été partagé.",
    ),
    ("`{}` has spaces around it", "`{}` a des espaces autour"),
    (
        "Spaces and line breaks around it were left out.",
        "Les espaces et fins de ligne autour ont été retirées.",
    ),
    ("`{}` is not a credential", "`{}` n’est pas un identifiant"),
    (
        "Set the variable to the bare credential, without quotes, braces or line breaks.",
        "Donnez à la variable l’identifiant seul, sans guillemets, accolades ni fins de ligne.",
    ),
    (
        "`access_key_id` and `secret_access_key` look swapped",
        "`access_key_id` et `secret_access_key` semblent échangés",
    ),
    ("The id begins with AKIA or ASIA.", "L’identifiant commence par AKIA ou ASIA."),
    (
        "An access key has `access_key_id` and `secret_access_key`.",
        "Une clé d’accès a `access_key_id` et `secret_access_key`.",
    ),
    (
        "Set the variable before you deliver with this account.",
        "Donnez la variable avant de livrer avec ce compte.",
    ),
    ("this is not the name of a region", "ceci n’est pas le nom d’une région"),
    (
        "Write for example `eu-west-3`, or leave the key out.",
        "Écrivez par exemple `eu-west-3`, ou ne donnez rien.",
    ),
    ("the region is read as `{}`", "la région est lue comme `{}`"),
    ("Write it in small letters without spaces.", "Écrivez-la en minuscules sans espaces."),
    ("the address has no scheme", "l’adresse ne dit ni http ni https"),
    ("the address is neither http nor https", "l’adresse n’est ni http ni https"),
    ("the address holds a user", "l’adresse contient un utilisateur"),
    (
        "Put credentials into `auth:`, from variables.",
        "Mettez les identifiants dans `auth:`, par des variables.",
    ),
    ("the address holds more than a host", "l’adresse contient plus qu’un hôte"),
    (
        "Give scheme, host and port only; the folder belongs to the destination.",
        "Donnez seulement protocole, hôte et port\u{a0}; le dossier est de la destination.",
    ),
    ("the port is not a number from 1 to 65535", "le port n’est pas un nombre de 1 à 65535"),
    ("the address has no `]`", "l’adresse n’a pas de `]`"),
    ("this is not an IPv6 address", "ceci n’est pas une adresse IPv6"),
    (
        "Write a plain IPv6 address without a zone, or a name.",
        "Écrivez une adresse IPv6 simple sans zone, ou un nom.",
    ),
    ("this is not an IPv4 address", "ceci n’est pas une adresse IPv4"),
    (
        "Write the address as four numbers, `192.168.1.10`, or use a name.",
        "Écrivez l’adresse en quatre nombres, `192.168.1.10`, ou un nom.",
    ),
    ("this is not the name of a host", "ceci n’est pas le nom d’un hôte"),
    (
        "Use letters, digits, `-` and `.`; write other scripts as `xn--…`.",
        "Lettres, chiffres, `-` et `.`\u{a0}; les autres écritures en `xn--…`.",
    ),
    ("no service can be at this address", "aucun service ne peut être à cette adresse"),
    (
        "Write for example `https://minio.example.com:9000`.",
        "Écrivez par exemple `https://minio.example.com:9000`.",
    ),
    (
        "what is sent would leave this machine unencrypted",
        "ce qui est envoyé sortirait de cette machine en clair",
    ),
    (
        "Use `https://`; if the network is your own, add `allow_http: true` to the account.",
        "Prenez `https://`\u{a0}; si le réseau est à vous, ajoutez `allow_http: true` au compte.",
    ),
    (
        "the variable `{}` of the server is not for this place",
        "la variable `{}` du serveur n’est pas pour cet endroit",
    ),
    (
        "Write the value itself; credentials may be `${}`.",
        "Écrivez la valeur elle-même\u{a0}; les identifiants peuvent être `${}`.",
    ),
    (
        "`{}` names a file of the server, which is not for stored objects",
        "`{}` nomme un fichier du serveur, ce qui n’est pas pour les objets gardés ici",
    ),
    (
        "Write the text itself, or keep the object in the project file.",
        "Écrivez le texte lui-même, ou mettez l’objet dans le fichier du projet.",
    ),
    ("Use `${}`.", "Servez-vous de `${}`."),
    (
        "the location is outside the project's folder, or hidden in it",
        "l’emplacement est hors du dossier du projet, ou caché dedans",
    ),
    (
        "Name an `s3://` location, or a file in the project's folder.",
        "Nommez un emplacement `s3://`, ou un fichier du dossier du projet.",
    ),
    ("the account is not used", "le compte ne sert pas"),
    // Buckets and what objects are written with
    ("the bucket is written as an address", "le bucket est écrit comme une adresse"),
    ("Write `bucket: {}`.", "Écrivez `bucket: {}`."),
    ("Write `bucket: {}` and `folder: {}`.", "Écrivez `bucket: {}` et `folder: {}`."),
    ("the bucket is written as an ARN", "le bucket est écrit comme un ARN"),
    (
        "Write the bare name of the bucket; access points are not supported.",
        "Écrivez le nom seul du bucket\u{a0}; les points d’accès ne sont pas pris en charge.",
    ),
    ("the bucket holds a slash", "le bucket contient une barre oblique"),
    ("the name of a bucket has 3 to 63 characters", "le nom d’un bucket a de 3 à 63 caractères"),
    ("Check the name.", "Vérifiez le nom."),
    (
        "the name of a bucket holds a character that is not allowed",
        "le nom du bucket contient un caractère qui n’est pas permis",
    ),
    ("Use small letters, digits, `-` and `.`.", "Minuscules, chiffres, `-` et `.` seulement."),
    (
        "the name of a bucket begins and ends with a letter or a digit",
        "le nom d’un bucket commence et finit par une lettre ou un chiffre",
    ),
    (
        "a dot in the name of a bucket stands between letters or digits",
        "un point dans le nom d’un bucket est entre lettres ou chiffres",
    ),
    ("the name of a bucket is not an IP address", "le nom d’un bucket n’est pas une adresse IP"),
    (
        "Put the address into `endpoint_url` of the account.",
        "Mettez l’adresse dans `endpoint_url` du compte.",
    ),
    (
        "this name is reserved for other things than buckets",
        "ce nom est réservé à autre chose que des buckets",
    ),
    ("Write the name of a general purpose bucket.", "Écrivez le nom d’un bucket à usage général."),
    ("this is not an AWS account id", "ceci n’est pas un identifiant de compte AWS"),
    (
        "Write the twelve digits of the AWS account, in quotes.",
        "Écrivez les douze chiffres du compte AWS, entre guillemets.",
    ),
    (
        "`{}` is of buckets, and this destination is a folder",
        "`{}` est pour les buckets, et cette destination est un dossier",
    ),
    ("Remove it, or remove `location`.", "Retirez-le, ou retirez `location`."),
    (
        "Remove it; `pgp` encrypts the files themselves.",
        "Retirez-le\u{a0}; `pgp` chiffre les fichiers eux-mêmes.",
    ),
    ("S3 does not know this `{}`", "S3 ne connaît pas ce `{}`"),
    ("the tag `{}` does not fit", "l’étiquette `{}` ne convient pas"),
    (
        "The key of a tag has 1 to 128 characters, its value at most 256.",
        "La clé d’une étiquette a de 1 à 128 caractères, sa valeur au plus 256.",
    ),
    ("an object has at most 10 tags", "un objet a au plus 10 étiquettes"),
    (
        "Keep those that a lifecycle rule or a policy needs.",
        "Gardez celles dont une règle de cycle de vie ou une politique a besoin.",
    ),
    ("this is not a media type", "ceci n’est pas un type de média"),
    (
        "Write for example `text/csv; charset=utf-8`.",
        "Écrivez par exemple `text/csv; charset=utf-8`.",
    ),
    ("the metadata `{}` cannot be sent", "la métadonnée `{}` ne peut être envoyée"),
    (
        "Use ASCII; a name is made of letters, digits, `-`, `_` and `.` and does not begin with `segue-`.",
        "En ASCII\u{a0}; un nom est fait de lettres, de chiffres, de `-`, `_` et `.` et ne commence pas par `segue-`.",
    ),
    ("`{}` belongs to `{}`", "`{}` va avec `{}`"),
    ("Write `sse: aws:kms`, or remove it.", "Écrivez `sse: aws:kms`, ou retirez-le."),
    ("this is not a KMS key of Amazon", "ceci n’est pas une clé KMS d’Amazon"),
    (
        "Write its id (`1234abcd-12ab-34cd-56ef-1234567890ab` or `mrk-…`), its ARN (`arn:aws:kms:eu-west-3:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`), or an alias (`alias/exports`, or the ARN of one).",
        "Écrivez son identifiant (`1234abcd-12ab-34cd-56ef-1234567890ab` ou `mrk-…`), son ARN (`arn:aws:kms:eu-west-3:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`), ou un alias (`alias/exports`, ou l’ARN d’un alias).",
    ),
    (
        "the name of a KMS key is ASCII without spaces",
        "le nom d’une clé KMS est en ASCII, sans espaces",
    ),
    (
        "Write the name that the service gives the key: `my-key`.",
        "Écrivez le nom que le service donne à la clé\u{a0}: `ma-cle`.",
    ),
    ("the KMS key is in {}, and the account says {}", "la clé KMS est en {}, et le compte dit {}"),
    (
        "A bucket is encrypted with keys of its own region: name one there, or correct `region` of the account.",
        "Un bucket est chiffré par des clés de sa région\u{a0}: nommez-en une de là, ou corrigez `region` du compte.",
    ),
    // Folders and file names
    ("a control character", "un caractère de contrôle"),
    ("a backslash", "une barre oblique inverse"),
    ("the character `{}` is unsafe in a folder", "le caractère `{}` n’est pas sûr dans un dossier"),
    (
        "Use letters, digits, and ! _ . * ' ( ) = -",
        "Lettres, chiffres, et `! _ . * ' ( ) = -` seulement",
    ),
    ("Separate folders with `/`.", "Séparez les dossiers par `/`."),
    (
        "Write macros between percent signs: `%SEGMENT_NAME%`.",
        "Écrivez les macros entre signes pour cent\u{a0}: `%SEGMENT_NAME%`.",
    ),
    (
        "Put folders into `folder:` of the destination.",
        "Mettez les dossiers dans `folder:` de la destination.",
    ),
    ("unknown macro `{}`", "macro inconnue `{}`"),
    ("the macro `%DATETIME(…)%` needs a pattern", "la macro `%DATETIME(…)%` demande un motif"),
    (
        "Write for example `%DATETIME(yyyyMMdd_HHmmss)%`.",
        "Écrivez par exemple `%DATETIME(yyyyMMdd_HHmmss)%`.",
    ),
    ("the date pattern does not know `{}`", "le motif de date ne connaît pas `{}`"),
    (
        "Known are yyyy MM dd HH mm ss SSS, the signs - _ . : T Z, and 'text' in single quotes.",
        "Connus\u{a0}: yyyy MM dd HH mm ss SSS, les signes `-`, `_`, `.`, `:`, T et Z, et 'texte' entre apostrophes.",
    ),
    (
        "Did you mean `{}`? Known are yyyy MM dd HH mm ss SSS, the signs - _ . : T Z, and 'text' in single quotes.",
        "Vouliez-vous dire `{}`\u{a0}? Connus\u{a0}: yyyy MM dd HH mm ss SSS, les signes `-`, `_`, `.`, `:`, T et Z, et 'texte' entre apostrophes.",
    ),
    ("both `%DATETIME(…)%` and `%TIMESTAMP%`", "à la fois `%DATETIME(…)%` et `%TIMESTAMP%`"),
    (
        "Keep one of the two; both tell the slot's time.",
        "Gardez l’un des deux\u{a0}; les deux disent l’heure du créneau.",
    ),
    ("the file name is empty", "le nom de fichier est vide"),
    ("Leave the key out for the default name.", "Ne donnez rien pour le nom par défaut."),
    ("the folder begins with a slash", "le dossier commence par une barre oblique"),
    ("the folder ends with a slash", "le dossier finit par une barre oblique"),
    ("the folder has a `.` or `..` step", "le dossier a un pas `.` ou `..`"),
    (
        "a step of the folder begins or ends with a space",
        "un pas du dossier commence ou finit par une espace",
    ),
    ("Leave the key out for the root of the bucket.", "Ne donnez rien pour la racine du bucket."),
    ("Write `{}`.", "Écrivez `{}`."),
    (
        "the file name has {} characters, more than 255",
        "le nom de fichier a {} caractères, plus que 255",
    ),
    (
        "Shorten `file_name` or the names in it; a number for further files is counted.",
        "Raccourcissez `file_name` ou les noms dedans\u{a0}; un numéro pour d’autres fichiers est compté.",
    ),
    ("the object key has {} bytes, more than 1024", "la clé de l’objet a {} octets, plus que 1024"),
    ("Shorten the folder or the file name.", "Raccourcissez le dossier ou le nom de fichier."),
    (
        "`{}` of `{}` and `{}` of `{}` would write the same object `{}`",
        "`{}` de `{}` et `{}` de `{}` écriraient le même objet `{}`",
    ),
    (
        "a further file of `{}` of `{}` would write the object `{}` of `{}` of `{}`",
        "un fichier de plus de `{}` de `{}` écrirait l’objet `{}` de `{}` de `{}`",
    ),
    (
        "the objects of `{}` of `{}` and `{}` of `{}` differ in case only: `{}`",
        "les objets de `{}` de `{}` et de `{}` de `{}` ne diffèrent que par la casse\u{a0}: `{}`",
    ),
    (
        "Put `%SEGMENT_ID%` or `%ACTIVATION_NAME%` into the file name or the folder.",
        "Mettez `%SEGMENT_ID%` ou `%ACTIVATION_NAME%` dans le nom de fichier ou le dossier.",
    ),
    (
        "the slots {} and {} would have the same file name",
        "les créneaux {} et {} auraient le même nom de fichier",
    ),
    (
        "Put more of the time into the name: `%DATETIME(yyyyMMdd_HHmmss)%`.",
        "Mettez plus de l’heure dans le nom\u{a0}: `%DATETIME(yyyyMMdd_HHmmss)%`.",
    ),
    (
        "the name holds no time: each run replaces the file of the last",
        "le nom ne contient pas d’heure\u{a0}: chaque exécution remplace le fichier de la précédente",
    ),
    (
        "the name holds no time: each increment replaces the one before",
        "le nom ne contient pas d’heure\u{a0}: chaque incrément remplace le précédent",
    ),
    (
        "Add `%DATETIME(yyyyMMdd_HHmmss)%` to keep every file.",
        "Ajoutez `%DATETIME(yyyyMMdd_HHmmss)%` pour garder chaque fichier.",
    ),
    (
        "Add `%DATETIME(yyyyMMdd_HHmmss)%`, so that a reader who is late loses nothing.",
        "Ajoutez `%DATETIME(yyyyMMdd_HHmmss)%`, pour qu’un lecteur en retard ne perde rien.",
    ),
    ("this is not an extension", "ceci n’est pas une extension"),
    (
        "Write it without a dot in front, for example `csv`.",
        "Écrivez-la sans point devant, par exemple `csv`.",
    ),
    // Formats of files
    ("`{}` has no meaning for `format: {}`", "`{}` n’a pas de sens pour `format: {}`"),
    ("`delimiter` is for csv only", "`delimiter` est pour csv seulement"),
    ("Remove it, or write `format: csv`.", "Retirez-le, ou écrivez `format: csv`."),
    (
        "Remove it: Parquet keeps such values as they are.",
        "Retirez-le\u{a0}: Parquet garde de telles valeurs telles quelles.",
    ),
    (
        "Remove it: its columns are compressed with Zstandard.",
        "Retirez-le\u{a0}: ses colonnes sont compressées par Zstandard.",
    ),
    (
        "a Parquet file is compressed inside, and not once more as a whole",
        "un fichier Parquet est compressé dedans, et pas encore une fois en entier",
    ),
    ("the delimiter of tsv is a tab", "le séparateur de tsv est une tabulation"),
    ("the delimiter is not one character", "le séparateur n’est pas un seul caractère"),
    ("Write exactly one ASCII character.", "Écrivez exactement un caractère ASCII."),
    (
        "Write a tab as \"\\t\", in double quotes.",
        "Écrivez une tabulation \"\\t\", entre guillemets.",
    ),
    (
        "the delimiter cannot be a letter, a digit, a line end or NUL",
        "le séparateur ne peut être une lettre, un chiffre, une fin de ligne ou NUL",
    ),
    ("this character cannot be the delimiter", "ce caractère ne peut être le séparateur"),
    ("Choose a sign or a tab.", "Choisissez un signe ou une tabulation."),
    (
        "delimiter and quote are the same character",
        "le séparateur et le guillemet sont le même caractère",
    ),
    (
        "delimiter and escape are the same character",
        "le séparateur et l’échappement sont le même caractère",
    ),
    ("Choose two characters.", "Choisissez deux caractères."),
    ("Choose different characters.", "Choisissez des caractères différents."),
    ("cells are quoted without a quote", "les cellules sont entre guillemets sans guillemet"),
    (
        "Name a quote character, or write `quoting: none`.",
        "Nommez un guillemet, ou écrivez `quoting: none`.",
    ),
    (
        "nothing is quoted, so nothing is escaped",
        "rien n’est entre guillemets, donc rien n’est échappé",
    ),
    ("Remove it, or let cells be quoted.", "Retirez-le, ou mettez les cellules entre guillemets."),
    (
        "missing values and empty strings look the same",
        "valeurs absentes et textes vides se ressemblent",
    ),
    (
        "Choose different texts if the reader should tell them apart.",
        "Choisissez des textes différents si le lecteur doit les distinguer.",
    ),
    (
        "the text for `null` holds a control character",
        "le texte pour `null` contient un caractère de contrôle",
    ),
    ("the text for `null` holds the quote character", "le texte pour `null` contient le guillemet"),
    ("Choose a short word, such as `NULL`.", "Choisissez un mot court, comme `NULL`."),
    (
        "Write `null: \"\"` for nothing, or the text in quotes.",
        "Écrivez `null: \"\"` pour rien, ou le texte entre guillemets.",
    ),
    (
        "in a file of one column, a missing value would be an empty line",
        "dans un fichier d’une colonne, une valeur absente serait une ligne vide",
    ),
    (
        "Make the column mandatory, or choose a text for `null` in `file:` of the destination.",
        "Rendez la colonne obligatoire, ou choisissez un texte pour `null` dans `file:` de la destination.",
    ),
    (
        "rows that `formula_guard: reject` leaves out would be taken for sent",
        "les lignes que `formula_guard: reject` écarte passeraient pour envoyées",
    ),
    (
        "Choose `formula_guard: prefix` or `off`, or `export: full`.",
        "Choisissez `formula_guard: prefix` ou `off`, ou `export: full`.",
    ),
    // Segments
    ("the segment has no rule", "le segment n’a pas de règle"),
    (
        "Add `rule:` with a SQL expression, or `pql:`, `rule_file:`, `pql_file:` or `import:`.",
        "Ajoutez `rule:` avec une expression SQL, ou `pql:`, `rule_file:`, `pql_file:` ou `import:`.",
    ),
    (
        "the segment has a rule twice: `{}` and `{}`",
        "le segment a deux fois une règle\u{a0}: `{}` et `{}`",
    ),
    ("the rule file cannot be read: {}", "le fichier de la règle ne peut être lu\u{a0}: {}"),
    (
        "Write a SQL expression that is true for members.",
        "Écrivez une expression SQL qui est vraie pour les membres.",
    ),
    (
        "Write a condition in PQL that is true for members.",
        "Écrivez une condition PQL qui est vraie pour les membres.",
    ),
    ("the segment `{}` rests on itself", "le segment `{}` repose sur lui-même"),
    (
        "segments rest on each other in a circle: {} ({})",
        "des segments reposent en cercle les uns sur les autres\u{a0}: {} ({})",
    ),
    ("Take one of the conditions out.", "Retirez l’une des conditions."),
    ("several segments are called `{}`", "plusieurs segments s’appellent `{}`"),
    ("Name one by its key.", "Nommez-en un par sa clé."),
    (
        "Name a segment of the project by its key, id or name; if it was deleted, take the condition out.",
        "Nommez un segment du projet par sa clé, son identifiant ou son nom\u{a0}; s’il a été supprimé, retirez la condition.",
    ),
    (
        "Name the key of a segment of the project, or give a segment the id that it has in Adobe with `id:`.",
        "Nommez la clé d’un segment du projet, ou donnez à un segment par `id:` l’identifiant qu’il a chez Adobe.",
    ),
    (
        "no profile has an identity of the namespace `{}`",
        "aucun profil n’a d’identité de l’espace de noms `{}`",
    ),
    ("unknown function `{}`", "fonction inconnue `{}`"),
    ("not a field: expected a field name", "ce n’est pas un champ\u{a0}: il faut un nom de champ"),
    ("not a field: expected `.` or `[`", "ce n’est pas un champ\u{a0}: il faut `.` ou `[`"),
    (
        "Fields are written `person.name`, `emails[0].address` or `attributes['lang']`.",
        "Les champs s’écrivent `person.name`, `emails[0].address` ou `attributes['lang']`.",
    ),
    ("expected a value, found the end", "il manque une valeur à la fin"),
    ("the dataset has no field `{}`", "le jeu de données n’a pas de champ `{}`"),
    // Mappings
    ("the mapping has no columns", "la liste n’a pas de colonnes"),
    ("Map at least one field.", "Choisissez au moins un champ."),
    ("the mapping has more than {} columns", "la liste a plus de {} colonnes"),
    ("Send fewer columns.", "Envoyez moins de colonnes."),
    (
        "a column has both `source` and `expression`",
        "une colonne a à la fois `source` et `expression`",
    ),
    (
        "Add `source:` with a field, or `expression:`.",
        "Ajoutez `source:` avec un champ, ou `expression:`.",
    ),
    ("Add `target:` with the header.", "Ajoutez `target:` avec l’en-tête."),
    ("the expression is empty", "l’expression est vide"),
    (
        "Write a SQL expression over the fields of the profile.",
        "Écrivez une expression SQL sur les champs du profil.",
    ),
    ("the header is empty", "l’en-tête est vide"),
    ("Name the column.", "Nommez la colonne."),
    ("the header holds a control character", "l’en-tête contient un caractère de contrôle"),
    (
        "Remove line breaks and other control characters.",
        "Retirez fins de ligne et autres caractères de contrôle.",
    ),
    (
        "the header `{}` holds {}, which the encoding of the file does not have",
        "l’en-tête `{}` contient {}, que l’encodage du fichier n’a pas",
    ),
    (
        "Choose another header, or `encoding: utf-8`.",
        "Choisissez un autre en-tête, ou `encoding: utf-8`.",
    ),
    (
        "a spreadsheet would take the header for a formula",
        "un tableur prendrait l’en-tête pour une formule",
    ),
    ("Begin it with a letter.", "Commencez par une lettre."),
    (
        "the headers `{}` and `{}` differ in case only",
        "les en-têtes `{}` et `{}` ne diffèrent que par la casse",
    ),
    (
        "Many readers take them for the same column, Parquet's among them: give one of them another `target:`.",
        "Bien des lecteurs les prennent pour la même colonne, ceux de Parquet aussi\u{a0}: donnez à l’une un autre `target:`.",
    ),
    ("Give one of them a `target:`.", "Donnez un `target:` à l’une d’elles."),
    (
        "Mark the identifying column with `deduplicate: true`.",
        "Marquez la colonne qui identifie par `deduplicate: true`.",
    ),
    (
        "no identity is mapped, so rows cannot be matched to people",
        "aucune identité n’est envoyée\u{a0}: les lignes ne peuvent être rapprochées de personnes",
    ),
    (
        "Map one of the fields under `identities:`.",
        "Choisissez l’un des champs sous `identities:`.",
    ),
    (
        "membership cannot be a deduplication key",
        "l’appartenance ne peut être une clé de dédoublonnage",
    ),
    (
        "Every member has the same status; deduplicate by an identity.",
        "Tous les membres ont le même état\u{a0}; dédoublonnez par une identité.",
    ),
    (
        "Did you mean `segmentMembership.status`? It is that of the segment being sent.",
        "Vouliez-vous dire `segmentMembership.status`\u{a0}? C’est celui du segment envoyé.",
    ),
    ("`identityMap` is followed by a namespace", "`identityMap` est suivi d’un espace de noms"),
    (
        "Write `identityMap.Email` or `identityMap['Web id']`.",
        "Écrivez `identityMap.Email` ou `identityMap['Web id']`.",
    ),
    (
        "no profile dataset has identities of the namespace `{}`",
        "aucun jeu de profils n’a d’identités de l’espace de noms `{}`",
    ),
    (
        "a mapping has a row for each identity of one namespace, here `{}`; this is another",
        "une liste a une ligne par identité d’un seul espace de noms, ici `{}`\u{a0}; ceci en est un autre",
    ),
    (
        "Map the field that holds the identity, or make another activation.",
        "Choisissez le champ qui contient l’identité, ou faites une autre activation.",
    ),
    (
        "a column of identities is always mandatory and part of the key",
        "une colonne d’identités est toujours obligatoire et dans la clé",
    ),
    ("Remove `mandatory` and `deduplicate`.", "Retirez `mandatory` et `deduplicate`."),
    // Schedules
    ("the schedule does not say how often", "le calendrier ne dit pas combien de fois"),
    ("Add for example `frequency: daily`.", "Ajoutez par exemple `frequency: daily`."),
    ("`{}` does not belong to this frequency", "`{}` ne va pas avec cette fréquence"),
    ("`end` does not belong to `frequency: once`", "`end` ne va pas avec `frequency: once`"),
    ("Only `frequency: {}` has it.", "Seul `frequency: {}` l’a."),
    ("The cron expression says the time.", "L’expression cron dit l’heure."),
    ("`frequency: once` needs a start day", "`frequency: once` demande un jour de début"),
    ("Add `start:` with the day.", "Ajoutez `start:` avec le jour."),
    ("`frequency: cron` needs an expression", "`frequency: cron` demande une expression"),
    (
        "Add for example `cron: \"0 2 * * mon-fri\"`.",
        "Ajoutez par exemple `cron: \"0 2 * * mon-fri\"`.",
    ),
    (
        "a cron expression has five fields, this has {}",
        "une expression cron a cinq champs, celle-ci en a un autre nombre ({})",
    ),
    (
        "Write minute, hour, day of month, month and day of week: `0 2 * * *`.",
        "Écrivez minute, heure, jour du mois, mois et jour de la semaine\u{a0}: `0 2 * * *`.",
    ),
    ("`{}` is no minute ({} to {})", "`{}` n’est pas une minute ({} à {})"),
    ("`{}` is no hour ({} to {})", "`{}` n’est pas une heure ({} à {})"),
    ("`{}` is no day of month ({} to {})", "`{}` n’est pas un jour du mois ({} à {})"),
    ("`{}` is no month ({} to {})", "`{}` n’est pas un mois ({} à {})"),
    ("`{}` is no day of week ({} to {})", "`{}` n’est pas un jour de la semaine ({} à {})"),
    ("the cron expression never fires", "l’expression cron ne tombe jamais"),
    ("No month has such a day.", "Aucun mois n’a un tel jour."),
    (
        "day of month and day of week are both given: either is enough",
        "jour du mois et jour de la semaine sont donnés\u{a0}: l’un ou l’autre suffit",
    ),
    (
        "Put `+` before the day of week if both must match.",
        "Mettez `+` devant le jour de la semaine si les deux doivent convenir.",
    ),
    ("the end is before the start", "la fin est avant le début"),
    ("Swap or change them.", "Échangez ou changez-les."),
    ("nothing is due until the end", "rien n’est dû jusqu’à la fin"),
    ("Move the end, or change the frequency.", "Déplacez la fin, ou changez la fréquence."),
    ("this is not a date", "ceci n’est pas une date"),
    (
        "Write year, month and day: `2026-01-31`.",
        "Écrivez année, mois et jour\u{a0}: `2026-01-31`.",
    ),
    ("this is not a time of day", "ceci n’est pas une heure"),
    ("Write hours and minutes: `\"02:00\"`.", "Écrivez heures et minutes\u{a0}: `\"02:00\"`."),
    ("Write an IANA name, such as `Europe/Paris`.", "Écrivez un nom IANA, comme `Europe/Paris`."),
    (
        "`{}` says nothing with `trigger: after-evaluation`",
        "`{}` ne dit rien avec `trigger: after-evaluation`",
    ),
    (
        "Remove it; `schedule` of `membership:` says when segments are evaluated.",
        "Retirez-le\u{a0}; `schedule` de `membership:` dit quand les segments sont évalués.",
    ),
    // Activations
    (
        "the segment `{}` is sent twice by this activation",
        "le segment `{}` est envoyé deux fois par cette activation",
    ),
    (
        "Keep one of the two, or make another activation.",
        "Gardez l’un des deux, ou faites une autre activation.",
    ),
    ("a full export holds members only", "un export complet ne contient que des membres"),
    (
        "Choose `export: incremental` or `changes`, or remove `leavers`.",
        "Choisissez `export: incremental` ou `changes`, ou retirez `leavers`.",
    ),
    (
        "a run that happens once has nothing to compare with",
        "une exécution qui n’a lieu qu’une fois n’a rien à quoi se comparer",
    ),
    (
        "Choose another `frequency`, or `export: full`.",
        "Choisissez une autre `frequency`, ou `export: full`.",
    ),
    (
        "nothing in the file would tell those who left from members",
        "rien dans le fichier ne distinguerait des membres ceux qui sont partis",
    ),
    (
        "Map `segmentMembership.status` or `segmentMembership.operation`.",
        "Choisissez `segmentMembership.status` ou `segmentMembership.operation`.",
    ),
    ("this is not a percentage", "ceci n’est pas un pourcentage"),
    (
        "Write a number with a percent sign: `50%`.",
        "Écrivez un nombre avec un signe pour cent\u{a0}: `50%`.",
    ),
    ("no consent is asked for `{}`", "aucun consentement n’est demandé pour `{}`"),
    (
        "Add a rule under `consent: {}`; without one the action is only recorded.",
        "Ajoutez une règle sous `consent: {}`\u{a0}; sans elle, l’action est seulement notée.",
    ),
    (
        "Add a rule under `consent: {}`, or name one of them: {}.",
        "Ajoutez une règle sous `consent: {}`, ou nommez-en une\u{a0}: {}.",
    ),
    ("no policy reads the label `{}`", "aucune politique ne lit l’étiquette `{}`"),
    (
        "Name it under `policies:`; until then it is only recorded.",
        "Nommez-la sous `policies:`\u{a0}; jusque-là elle est seulement notée.",
    ),
    (
        "The end day is included; it may be the start day.",
        "Le jour de fin est compris\u{a0}; ce peut être le jour de début.",
    ),
    // Datasets and files with members
    ("a profile dataset needs an identity", "un jeu de profils demande une identité"),
    (
        "Write `identities: {}` with the field that identifies a person.",
        "Écrivez `identities: {}` avec le champ qui identifie une personne.",
    ),
    (
        "Name the field that tells when a record was changed, or write `merge:` as a list of datasets in order of precedence.",
        "Nommez le champ qui dit quand un enregistrement a été modifié, ou écrivez `merge:` comme une liste de jeux de données par ordre de préséance.",
    ),
    ("there is no profile dataset", "il n’y a pas de jeu de profils"),
    ("Add a dataset of `kind: profile`.", "Ajoutez un jeu de données de `kind: profile`."),
    ("`identities` belongs to profile datasets", "`identities` est pour les jeux de profils"),
    (
        "An event names its person by `profile: {}`.",
        "Un événement nomme sa personne par `profile: {}`.",
    ),
    ("`profile` belongs to event datasets", "`profile` est pour les jeux d’événements"),
    (
        "A profile dataset names its person by `identities:`.",
        "Un jeu de profils nomme sa personne par `identities:`.",
    ),
    ("an event dataset needs `profile`", "un jeu d’événements demande `profile`"),
    ("Write `profile: {}`.", "Écrivez `profile: {}`."),
    (
        "`merge: timestamp` needs a `timestamp` in `{}`",
        "`merge: timestamp` demande un `timestamp` dans `{}`",
    ),
    ("the location holds a control character", "l’emplacement contient un caractère de contrôle"),
    ("the location names no bucket", "l’emplacement ne nomme pas de bucket"),
    ("this kind of address cannot be read", "cette sorte d’adresse ne peut être lue"),
    (
        "Locations are local paths, or begin with `s3://` or `postgres://`.",
        "Les emplacements sont des chemins d’ici, ou commencent par `s3://` ou `postgres://`.",
    ),
    (
        "Write a file, a folder, a glob, or `s3://bucket/prefix/`.",
        "Écrivez un fichier, un dossier, un motif, ou `s3://bucket/prefixe/`.",
    ),
    ("Write `s3://bucket/prefix/`.", "Écrivez `s3://bucket/prefixe/`."),
    ("an `s3://` location needs an account", "un emplacement `s3://` demande un compte"),
    (
        "Add `account:` with the account that may read the bucket.",
        "Ajoutez `account:` avec le compte qui peut lire le bucket.",
    ),
    (
        "Only `s3://` locations are read with an account.",
        "Seuls les emplacements `s3://` sont lus avec un compte.",
    ),
    ("the format cannot be told from the location", "le format ne se voit pas à l’emplacement"),
    (
        "Add `format: parquet`, `csv`, `jsonl`, `delta` or `postgres`.",
        "Ajoutez `format: parquet`, `csv`, `jsonl`, `delta` ou `postgres`.",
    ),
    (
        "types are declared for top-level fields only",
        "les types se déclarent pour les champs du premier niveau seulement",
    ),
    ("Name the top-level field.", "Nommez le champ du premier niveau."),
    ("Parquet files declare their own types", "les fichiers Parquet déclarent leurs types"),
    ("Remove `types`.", "Retirez `types`."),
    ("The path is relative to the project file.", "Le chemin est relatif au fichier du projet."),
    (
        "`{}`: The namespace of the identity, one of those of the profile datasets.",
        "`{}`\u{a0}: l’espace de noms de l’identité, l’un de ceux des jeux de profils.",
    ),
    (
        "Write a SQL expression that is true for those who consent.",
        "Écrivez une expression SQL qui est vraie pour ceux qui consentent.",
    ),
];
