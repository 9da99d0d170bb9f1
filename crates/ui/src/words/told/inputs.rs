//! What is read: files, Delta tables, databases, objects of a service, and what is kept of it.

/// English and French, as in [`TOLD`](super::TOLD).
pub(super) const TOLD: &[(&str, &str)] = &[
    // Files
    ("the header has more than {} columns", "l’en-tête a plus de {} colonnes"),
    ("column {} has no name in the header", "la colonne {} n’a pas de nom dans l’en-tête"),
    ("the header names `{}` twice", "l’en-tête nomme `{}` deux fois"),
    (
        "the record has 1 cell, the header has {}",
        "l’enregistrement a une cellule, l’en-tête en a {}",
    ),
    (
        "the record has {} cells, the header has {}",
        "l’enregistrement a {} cellules, l’en-tête en a {}",
    ),
    (
        "a number has more digits than type {} holds",
        "un nombre a plus de chiffres que le type {} n’en tient",
    ),
    ("a whole number is beyond 64 bits", "un nombre entier dépasse 64 bits"),
    (
        "Declare the field as `string` under `types:`, which keeps every digit.",
        "Déclarez le champ comme `string` sous `types:`, ce qui garde tous les chiffres.",
    ),
    (
        "Correct the value, or declare another type for the field under `types:`; types that are not declared are guessed from the first lines.",
        "Corrigez la valeur, ou déclarez un autre type pour le champ sous `types:`\u{a0}; les types qui ne sont pas déclarés sont devinés d’après les premières lignes.",
    ),
    (
        "a carriage return stands alone, without a line feed",
        "un retour chariot est seul, sans saut de ligne",
    ),
    ("text follows a closing quote", "du texte suit un guillemet fermant"),
    (
        "a quote stands in a cell that does not begin with one",
        "un guillemet est dans une cellule qui ne commence pas par un guillemet",
    ),
    ("the value is {}, where the field is {}", "la valeur est {}, là où le champ est {}"),
    (
        "the value is a number, where the field is a {}",
        "la valeur est un nombre, là où le champ est de type {}",
    ),
    (
        "the value is {} here, and {} before in this line",
        "la valeur est ici {}, et plus tôt dans cette ligne {}",
    ),
    ("the value is {} here, and {} in line {}", "la valeur est ici {}, et à la ligne {3} {2}"),
    (
        "Leave its type out of `types:`, and turn it into a time where it is used: `to_timestamp(field)` for seconds.",
        "Ne donnez pas son type sous `types:`, et faites-en une heure là où il sert\u{a0}: `to_timestamp(champ)` pour des secondes.",
    ),
    ("the line is not a JSON object", "la ligne n’est pas un objet JSON"),
    ("something follows the object", "quelque chose suit l’objet"),
    ("the line is nested more than {} deep", "la ligne est imbriquée sur plus de {} niveaux"),
    (
        "a control character stands in a text as it is",
        "un caractère de contrôle est tel quel dans un texte",
    ),
    (
        "Write it as an escape, such as `\\n` or `\\u0000`.",
        "Écrivez-le par un échappement, comme `\\n` ou `\\u0000`.",
    ),
    ("the text that begins here is never closed", "le texte qui commence ici n’est jamais fermé"),
    (
        "Close it, and write a quote inside it as `\\\"`.",
        "Fermez-le, et écrivez `\\\"` pour un guillemet dedans.",
    ),
    (
        "JSON knows `\\\"`, `\\\\`, `\\/`, `\\b`, `\\f`, `\\n`, `\\r`, `\\t` and `\\uXXXX`.",
        "JSON connaît `\\\"`, `\\\\`, `\\/`, `\\b`, `\\f`, `\\n`, `\\r`, `\\t` et `\\uXXXX`.",
    ),
    ("an escape is none of JSON", "un échappement n’est pas de JSON"),
    (
        "an escape is half of a surrogate pair, which is no character",
        "un échappement est la moitié d’une paire de substitution, ce qui n’est pas un caractère",
    ),
    (
        "Write the whole pair, such as `\\ud83d\\ude00`, or the character itself.",
        "Écrivez la paire entière, comme `\\ud83d\\ude00`, ou le caractère lui-même.",
    ),
    ("an escape is not complete", "un échappement est incomplet"),
    (
        "Behind `\\u` stand four hexadecimal digits.",
        "Derrière `\\u` vont quatre chiffres hexadécimaux.",
    ),
    ("a number is not written as JSON has it", "un nombre n’est pas écrit comme le veut JSON"),
    (
        "Leading zeros and a dot without digits are none of JSON; put quotes around what is a text.",
        "Les zéros de tête et un point sans chiffres ne sont pas de JSON\u{a0}; mettez entre guillemets ce qui est un texte.",
    ),
    ("a number is larger than any type holds", "un nombre est plus grand qu’aucun type n’en tient"),
    (
        "Put quotes around it, to have it as a text.",
        "Mettez-le entre guillemets, pour l’avoir comme texte.",
    ),
    ("what stands here is no value of JSON", "ce qui est ici n’est pas une valeur de JSON"),
    (
        "A value is a text in double quotes, a number, true, false, null, a list or an object; write null for NaN.",
        "Une valeur est un texte entre guillemets, un nombre, true, false, null, une liste ou un objet\u{a0}; écrivez null pour NaN.",
    ),
    ("the line ends inside of its object", "la ligne finit au milieu de son objet"),
    ("{} is expected here", "il faut ici {}"),
    ("the {} data is damaged or cut short", "les données {} sont abîmées ou coupées"),
    (
        "Make the file again, or copy it again from where it came.",
        "Refaites le fichier, ou recopiez-le d’où il vient.",
    ),
    (
        "the file unpacks to more than {} times its size",
        "le fichier décompressé fait plus de {} fois sa taille",
    ),
    ("If it is meant to, unpack it first.", "Si c’est voulu, décompressez-le d’abord."),
    ("the schema is nested more than {} deep", "le schéma est imbriqué sur plus de {} niveaux"),
    ("the file points behind its own end", "le fichier renvoie au-delà de sa propre fin"),
    ("not a regular file", "ce n’est pas un fichier ordinaire"),
    ("The path exists only as far as `{}`.", "Le chemin n’existe que jusqu’à `{}`."),
    (
        "Correct `location`; it is relative to the folder of the project file.",
        "Corrigez `location`\u{a0}; il est relatif au dossier du fichier du projet.",
    ),
    ("the folders are nested too deeply", "les dossiers sont imbriqués sur trop de niveaux"),
    ("invalid glob: {}", "motif de fichiers invalide\u{a0}: «\u{a0}{}\u{a0}»"),
    ("the location has no bucket", "l’emplacement n’a pas de bucket"),
    ("Write it as `s3://bucket/folder/`.", "Écrivez-le comme `s3://bucket/dossier/`."),
    ("the location needs an account", "l’emplacement demande un compte"),
    (
        "Name one of the accounts of the project under `account:`.",
        "Nommez l’un des comptes du projet sous `account:`.",
    ),
    ("the file has no such field", "le fichier n’a pas ce champ"),
    (
        "the file of imported segment `{}` has no such field",
        "le fichier du segment importé `{}` n’a pas ce champ",
    ),
    (
        "the file of imported segment `{}` has no field `{}`",
        "le fichier du segment importé `{}` n’a pas de champ `{}`",
    ),
    (
        "the file of imported segment `{}` has no field `{}`: `{}` has no `{}`",
        "le fichier du segment importé `{}` n’a pas de champ `{}`\u{a0}: `{}` n’a pas de `{}`",
    ),
    (
        "the dataset `{}` has no field `{}`: `{}` has no `{}`",
        "le jeu de données `{}` n’a pas de champ `{}`\u{a0}: `{}` n’a pas de `{}`",
    ),
    (
        "the dataset has no field of that name for its identity",
        "le jeu de données n’a pas de champ de ce nom pour son identité",
    ),
    ("an identity has to be a single value", "une identité doit être une valeur simple"),
    (
        "the primary identity has to be a single value",
        "l’identité principale doit être une valeur simple",
    ),
    ("Name a field inside it under `identities:`.", "Nommez un champ dedans sous `identities:`."),
    (
        "the dataset's timestamp has to be a single value",
        "le `timestamp` du jeu de données doit être une valeur simple",
    ),
    ("the field is {} here, but {} in {}", "le champ est de type {} ici, mais {} dans {}"),
    (
        "the field is {} in `{}`, but {} in `{}`",
        "le champ est de type {} dans `{}`, mais {} dans `{}`",
    ),
    ("`{}` is {} in `{}`, but {} in `{}`", "`{}` est de type {} dans `{}`, mais {} dans `{}`"),
    ("declared as {}, but it is {}", "déclaré comme {}, mais il est de type {}"),
    ("a {} cannot be read from CSV", "une valeur de type {} ne peut être lue d’un CSV"),
    (
        "a type is declared for a field that no file has",
        "un type est déclaré pour un champ qu’aucun fichier n’a",
    ),
    (
        "dataset `{}` has a field of the reserved name",
        "le jeu de données `{}` a un champ du nom réservé",
    ),
    ("Rename the field.", "Renommez le champ."),
    (
        "the values of a field are too large to be merged",
        "les valeurs d’un champ sont trop grandes pour être réunies",
    ),
    (
        "A few thousand neighbouring records may hold 2 GiB of one field at most.",
        "Quelques milliers d’enregistrements voisins peuvent tenir au plus 2 Gio d’un champ.",
    ),
    ("more than {} identities are linked to others", "plus de {} identités sont liées à d’autres"),
    ("Use `stitch: none`, or fewer identities.", "Prenez `stitch: none`, ou moins d’identités."),
    (
        "the timestamps of `{}` and `{}` cannot be compared: one is a number",
        "les `timestamp` de `{}` et de `{}` ne se comparent pas\u{a0}: l’un est un nombre",
    ),
    (
        "`{}` is of type {} and does not tell who opted out",
        "`{}` est de type {} et ne dit pas qui a refusé",
    ),
    (
        "a file has another number of records than a moment ago",
        "un fichier n’a plus le même nombre d’enregistrements qu’à l’instant",
    ),
    // Delta tables
    ("a Delta table is one folder, not a pattern", "une table Delta est un dossier, pas un motif"),
    ("Name the table's folder.", "Nommez le dossier de la table."),
    (
        "the Delta table refers to files outside of its folder (a shallow clone)",
        "la table Delta renvoie à des fichiers hors de son dossier (un clone superficiel)",
    ),
    (
        "Read a copy of the table that holds its own files (`CREATE TABLE … DEEP CLONE …`).",
        "Lisez une copie de la table qui a ses propres fichiers (`CREATE TABLE … DEEP CLONE …`).",
    ),
    (
        "version {} of the Delta table lacks one of its files, `{}`",
        "il manque à la version {} de la table Delta un de ses fichiers, `{}`",
    ),
    (
        "`VACUUM` removes files that newer versions do not use: read a newer version, or restore the file.",
        "`VACUUM` retire les fichiers dont les versions plus récentes ne se servent pas\u{a0}: lisez une version plus récente, ou restaurez le fichier.",
    ),
    (
        "the Delta table uses the feature `{}`, which cannot be read",
        "la table Delta se sert de la fonction `{}`, qui ne peut être lue",
    ),
    (
        "Drop it from the table (`ALTER TABLE … DROP FEATURE {}`), or read a copy that was written without it.",
        "Retirez-la de la table (`ALTER TABLE … DROP FEATURE {}`), ou lisez une copie écrite sans elle.",
    ),
    (
        "the Delta table keeps deletion vectors outside of its folder",
        "la table Delta garde des vecteurs de suppression hors de son dossier",
    ),
    (
        "Rewrite the table without them (`REORG TABLE … APPLY (PURGE)`).",
        "Réécrivez la table sans eux (`REORG TABLE … APPLY (PURGE)`).",
    ),
    ("a deletion vector cannot be read", "un vecteur de suppression ne peut être lu"),
    (
        "the log has more than {} commits behind its checkpoint",
        "le journal a plus de {} commits derrière son point de reprise",
    ),
    ("Write a checkpoint of the table.", "Écrivez un point de reprise de la table."),
    (
        "the checkpoint names a file that is not in `_sidecars`",
        "le point de reprise nomme un fichier qui n’est pas dans `_sidecars`",
    ),
    (
        "the log holds a path that cannot be read",
        "le journal contient un chemin qui ne peut être lu",
    ),
    (
        "Name the table's own folder, or write `format: parquet` for a folder of Parquet files.",
        "Nommez le dossier de la table elle-même, ou écrivez `format: parquet` pour un dossier de fichiers Parquet.",
    ),
    ("Its newest version is {}.", "Sa version la plus récente est {}."),
    ("version {} is not in the log any more", "la version {} n’est plus dans le journal"),
    (
        "its log lacks commit {}, which version {} needs",
        "il manque à son journal le commit {}, dont la version {} a besoin",
    ),
    (
        "Logs are cleaned up after a time: read a newer version, up to {}.",
        "Les journaux sont nettoyés après un temps\u{a0}: lisez une version plus récente, jusqu’à {}.",
    ),
    (
        "a commit holds a line that is no action",
        "un commit contient une ligne qui n’est pas une action",
    ),
    ("a checkpoint is of an unknown form", "un point de reprise est d’une forme inconnue"),
    (
        "a checkpoint holds a row that is no action",
        "un point de reprise contient une ligne qui n’est pas une action",
    ),
    ("the Delta table has more than {} files", "la table Delta a plus de {} fichiers"),
    ("Compact it (`OPTIMIZE`).", "Compactez-la (`OPTIMIZE`)."),
    ("its log does not say what the table is", "son journal ne dit pas ce qu’est la table"),
    (
        "the Delta table needs readers of version {}, Segue is one of version {}",
        "la table Delta demande des lecteurs de version {}, Segue en est un de version {}",
    ),
    (
        "Read a copy that was written for older readers.",
        "Lisez une copie écrite pour des lecteurs plus anciens.",
    ),
    ("the file of the log is larger than {} bytes", "le fichier du journal dépasse {} octets"),
    (
        "a partition value is not of its column's type",
        "une valeur de partition n’est pas du type de sa colonne",
    ),
    ("its schema cannot be read", "son schéma ne peut être lu"),
    ("columns of type `{}` cannot be read", "les colonnes de type `{}` ne peuvent être lues"),
    (
        "Read a copy of the table without the column, or with it as a string.",
        "Lisez une copie de la table sans la colonne, ou qui l’a comme texte.",
    ),
    // Databases
    (
        "the connection to the database was lost before its rows were read",
        "la connexion à la base a été perdue avant la lecture des lignes",
    ),
    (
        "the connection to the database was lost after {} rows",
        "la connexion à la base a été perdue après {} lignes",
    ),
    (
        "the certificates of the address cannot be read",
        "les certificats de l’adresse ne peuvent être lus",
    ),
    (
        "`sslrootcert`, `sslcert` and `sslkey` name PEM files, relative to the project file.",
        "`sslrootcert`, `sslcert` et `sslkey` nomment des fichiers PEM, relatifs au fichier du projet.",
    ),
    (
        "`sslrootcert`, `sslcert` and `sslkey` name PEM files.",
        "`sslrootcert`, `sslcert` et `sslkey` nomment des fichiers PEM.",
    ),
    ("the answer of the database cannot be understood", "la réponse de la base ne se comprend pas"),
    (
        "Check that the address is that of a PostgreSQL server, and not of a proxy that changes its answers.",
        "Vérifiez que l’adresse est celle d’un serveur PostgreSQL, et non d’un intermédiaire qui change ses réponses.",
    ),
    (
        "no encrypted connection to the database could be made",
        "aucune connexion chiffrée à la base n’a pu être établie",
    ),
    (
        "Add `?sslrootcert=ca.pem` with the server's authority to the address; or `?sslmode=disable` in a network that nobody else is in.",
        "Ajoutez à l’adresse `?sslrootcert=ca.pem` avec l’autorité du serveur\u{a0}; ou `?sslmode=disable` dans un réseau où personne d’autre n’est.",
    ),
    ("the database answered with error {}", "la base a répondu par l’erreur {}"),
    ("the database refuses the sign-in", "la base refuse l’authentification"),
    (
        "Check the user of the address and the variable of `password`.",
        "Vérifiez l’utilisateur de l’adresse et la variable de `password`.",
    ),
    ("the server has no such database", "le serveur n’a pas cette base"),
    ("Check the last part of the address.", "Vérifiez la dernière partie de l’adresse."),
    ("the database refuses to be read", "la base refuse d’être lue"),
    ("the database refuses to be read: {}", "la base refuse d’être lue\u{a0}: «\u{a0}{}\u{a0}»"),
    (
        "Let the user read it: `GRANT SELECT ON … TO …`, and `GRANT USAGE ON SCHEMA … TO …`.",
        "Donnez à l’utilisateur le droit de la lire\u{a0}: `GRANT SELECT ON … TO …`, et `GRANT USAGE ON SCHEMA … TO …`.",
    ),
    (
        "the database ended the query: it took longer than its statement timeout",
        "la base a mis fin à la requête\u{a0}: elle a duré plus que son délai par instruction",
    ),
    (
        "Raise `statement_timeout` for this user (`ALTER ROLE … SET statement_timeout = …`), or read less.",
        "Augmentez `statement_timeout` pour cet utilisateur (`ALTER ROLE … SET statement_timeout = …`), ou lisez moins.",
    ),
    ("the database has no connection left", "la base n’a plus de connexion libre"),
    (
        "Try again later, or raise `max_connections`.",
        "Réessayez plus tard, ou augmentez `max_connections`.",
    ),
    ("the database ended the transaction", "la base a mis fin à la transaction"),
    ("the query would change the database", "la requête modifierait la base"),
    (
        "Only queries that read can be a dataset.",
        "Seule une requête qui lit peut être un jeu de données.",
    ),
    ("the database does not take the query", "la base n’accepte pas la requête"),
    (
        "the database does not take the query: {}",
        "la base n’accepte pas la requête\u{a0}: «\u{a0}{}\u{a0}»",
    ),
    ("Correct `query` or `table`.", "Corrigez `query` ou `table`."),
    (
        "a value cannot be computed or converted by the database",
        "la base ne peut calculer ou convertir une valeur",
    ),
    (
        "Look at the casts and divisions of `query`, and at `types`.",
        "Regardez les conversions et divisions de `query`, et `types`.",
    ),
    (
        "the database has not the resources for the query",
        "la base n’a pas les ressources pour la requête",
    ),
    ("Try again later, or read less.", "Réessayez plus tard, ou lisez moins."),
    ("Look into the server's log.", "Regardez le journal du serveur."),
    ("the address of the database cannot be read", "l’adresse de la base ne peut être lue"),
    (
        "Write `postgres://user@host:5432/database`, and the password under `password:`.",
        "Écrivez `postgres://user@host:5432/database`, et le mot de passe sous `password:`.",
    ),
    (
        "Write `postgres://user@host/database`, and the password under `password:`.",
        "Écrivez `postgres://user@host/database`, et le mot de passe sous `password:`.",
    ),
    ("the address has the unknown parameter `{}`", "l’adresse a le paramètre inconnu `{}`"),
    ("Known are {}.", "Connus\u{a0}: {}."),
    ("a row is larger than {} bytes", "une ligne dépasse {} octets"),
    ("Leave large columns out with a `query`.", "Écartez les grandes colonnes par une `query`."),
    ("a value is not of its column's type", "une valeur n’est pas du type de sa colonne"),
    (
        "a value is `infinity` or `NaN`, which files cannot hold",
        "une valeur est `infinity` ou `NaN`, ce que les fichiers ne peuvent contenir",
    ),
    (
        "Replace it in a `query`, for example with `nullif(valid_until, 'infinity')`, or declare the field as `string` under `types:`.",
        "Remplacez-la dans une `query`, par exemple par `nullif(valid_until, 'infinity')`, ou déclarez le champ comme `string` sous `types:`.",
    ),
    ("a list holds lists", "une liste contient des listes"),
    (
        "Read it as text: declare the field as `string` under `types:`.",
        "Lisez-la comme texte\u{a0}: déclarez le champ comme `string` sous `types:`.",
    ),
    ("the table or query has no columns", "la table ou la requête n’a pas de colonnes"),
    ("the query names two columns `{}`", "la requête nomme deux colonnes `{}`"),
    (
        "Give one of the two another name with `AS`.",
        "Donnez à l’une des deux un autre nom par `AS`.",
    ),
    (
        "a type is declared for a column that is not there",
        "un type est déclaré pour une colonne qui n’existe pas",
    ),
    // What is read from a service
    (
        "Check the bucket's name and the account's endpoint.",
        "Vérifiez le nom du bucket et l’adresse du compte.",
    ),
    (
        "Check the account's access key and secret.",
        "Vérifiez la clé d’accès et le secret du compte.",
    ),
    (
        "No redirect is followed: set the account's `region`, or its `endpoint_url`, to the bucket's.",
        "Aucune redirection n’est suivie\u{a0}: donnez comme `region` du compte, ou comme `endpoint_url`, celle du bucket.",
    ),
    (
        "The account needs `s3:ListBucket` on the bucket and `s3:GetObject` on its objects.",
        "Le compte a besoin de `s3:ListBucket` sur le bucket et de `s3:GetObject` sur ses objets.",
    ),
    ("Check the dataset's location.", "Vérifiez l’emplacement du jeu de données."),
    ("Check the account's settings.", "Vérifiez les réglages du compte."),
    ("Try again later.", "Réessayez plus tard."),
    ("the service answered with status {}", "le service a répondu par l’état {}"),
    ("the service answered {}", "le service a répondu {}"),
    ("no answer from the service", "aucune réponse du service"),
    ("the object's bytes ended early", "l’objet s’est arrêté avant sa fin"),
    // What is kept beside the ledger
    ("the record of what was sent is damaged", "la trace de ce qui a été envoyé est abîmée"),
    (
        "Remove the file: the next run then sends everybody again.",
        "Retirez le fichier\u{a0}: la prochaine exécution enverra alors tout le monde à nouveau.",
    ),
    (
        "Remove the file: the next run then compares all people anew.",
        "Retirez le fichier\u{a0}: la prochaine exécution comparera alors tout le monde à nouveau.",
    ),
    ("the record of memberships is damaged", "la trace des appartenances est abîmée"),
    (
        "Restore the file from a backup, or remove it: everybody then becomes a member anew.",
        "Restaurez le fichier d’une sauvegarde, ou retirez-le\u{a0}: chacun redevient alors membre.",
    ),
    (
        "the record of whose data a run sent is damaged",
        "la trace des personnes dont une exécution a envoyé les données est abîmée",
    ),
    (
        "Bring it back from a backup, or remove the file: the run is then named as one without a record.",
        "Reprenez-la d’une sauvegarde, ou retirez le fichier\u{a0}: l’exécution est alors dite sans trace.",
    ),
    (
        "the answers about events take {} bytes of temporary files",
        "les réponses sur les événements prennent {} octets de fichiers temporaires",
    ),
    // What is done with files
    ("cannot find the dataset", "le jeu de données est introuvable"),
    ("cannot list the folder", "le dossier ne peut être listé"),
    ("cannot look at the file", "le fichier ne peut être examiné"),
    ("cannot open the file", "le fichier ne peut être ouvert"),
    ("cannot read the file", "le fichier ne peut être lu"),
    ("cannot write a temporary file", "un fichier temporaire ne peut être écrit"),
    ("cannot read a temporary file", "un fichier temporaire ne peut être lu"),
    ("cannot write merged profiles", "les profils réunis ne peuvent être écrits"),
    ("cannot write it", "il ne peut être écrit"),
    ("cannot read it", "il ne peut être lu"),
    ("cannot open it", "il ne peut être ouvert"),
    ("cannot lock it", "il ne peut être verrouillé"),
    ("cannot remove it", "il ne peut être retiré"),
    ("cannot open what was kept", "ce qui a été gardé ne peut être ouvert"),
    ("cannot make a folder to keep rows in", "un dossier pour garder des lignes ne peut être fait"),
    ("cannot keep what was written", "ce qui a été écrit ne peut être gardé"),
    ("cannot write the rows of the database", "les lignes de la base ne peuvent être écrites"),
    ("cannot list the bucket", "le bucket ne peut être listé"),
    ("cannot look at the object", "l’objet ne peut être examiné"),
    ("cannot read the object", "l’objet ne peut être lu"),
    // What the operating system says
    ("no storage space", "il n’y a plus de place"),
    ("permission denied", "l’accès est refusé"),
    ("entity not found", "il n’y a rien de ce nom"),
    ("quota exceeded", "le quota est atteint"),
    ("read-only filesystem or storage medium", "le support est en lecture seule"),
    ("unexpected end of file", "la fin est venue trop tôt"),
    ("No such file or directory (os error {})", "il n’y a rien de ce nom (os error {})"),
    ("Permission denied (os error {})", "l’accès est refusé (os error {})"),
    ("No space left on device (os error {})", "il n’y a plus de place (os error {})"),
    ("Disk quota exceeded (os error {})", "le quota est atteint (os error {})"),
    (
        "Read-only file system (os error {})",
        "le système de fichiers est en lecture seule (os error {})",
    ),
    ("Is a directory (os error {})", "c’est un dossier (os error {})"),
    ("Not a directory (os error {})", "ce n’est pas un dossier (os error {})"),
    ("File exists (os error {})", "il y a déjà quelque chose de ce nom (os error {})"),
    ("Directory not empty (os error {})", "le dossier n’est pas vide (os error {})"),
    ("File name too long (os error {})", "le nom est trop long (os error {})"),
    ("Too many open files (os error {})", "trop de fichiers sont ouverts (os error {})"),
    ("Connection refused (os error {})", "rien n’y écoute (os error {})"),
    ("Connection reset by peer (os error {})", "la connexion a été coupée (os error {})"),
    ("Perhaps you meant to reference the column {}.", "Peut-être vouliez-vous la colonne {}."),
    (
        "A folder is searched for files that end in {}.",
        "Un dossier est parcouru pour les fichiers en {}.",
    ),
];
