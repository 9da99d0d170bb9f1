//! Rules and columns that do not fit, files that cannot be read, and what stands in the way of a run.

/// English and French, as in [`TOLD`](super::TOLD).
pub(super) const TOLD: &[(&str, &str)] = &[
    // Expressions
    ("the expression is longer than {} bytes", "l’expression dépasse {} octets"),
    ("the expression holds a control character", "l’expression contient un caractère de contrôle"),
    ("the expression has more than {} words and signs", "l’expression a plus de {} mots et signes"),
    (
        "brackets are nested more than {} deep",
        "les parenthèses sont imbriquées sur plus de {} niveaux",
    ),
    ("the expression should end before `{}`", "l’expression devrait finir avant `{}`"),
    (
        "the expression is more than {} operations deep",
        "l’expression a plus de {} opérations imbriquées",
    ),
    (
        "Only chains of `AND` and of `OR` may be long.",
        "Seules les chaînes de `AND` et de `OR` peuvent être longues.",
    ),
    ("the operator `{}` is not available", "l’opérateur `{}` n’est pas disponible"),
    (
        "a condition on events cannot ask for a segment",
        "une condition sur des événements ne peut demander un segment",
    ),
    (
        "a condition on events cannot ask for other events",
        "une condition sur des événements ne peut en demander d’autres",
    ),
    (
        "Put the condition into the query: `EXISTS (SELECT FROM orders WHERE …)`.",
        "Mettez la condition dans la question\u{a0}: `EXISTS (SELECT FROM orders WHERE …)`.",
    ),
    ("events are asked for more than {} times", "des événements sont demandés plus de {} fois"),
    (
        "a field of a calculated value cannot be taken",
        "le champ d’une valeur calculée ne peut être pris",
    ),
    (
        "Conditions on the profile stand outside the brackets of the query.",
        "Les conditions sur le profil sont hors des parenthèses de la question.",
    ),
    ("this key stands there twice", "cette clé y est deux fois"),
    (
        "the numbers of keys and values differ: {} and {}",
        "il n’y a pas autant de clés que de valeurs\u{a0}: {} et {}",
    ),
    ("the pattern is too large", "le motif est trop grand"),
    ("this is no pattern: {}", "ceci n’est pas un motif\u{a0}: «\u{a0}{}\u{a0}»"),
    (
        "Look-around and back references are not available.",
        "Les assertions et les références arrière ne sont pas disponibles.",
    ),
    (
        "Compare the value with another: `points > 0`.",
        "Comparez la valeur à une autre\u{a0}: `points > 0`.",
    ),
    (
        "Compare the value with another: `o -> o.total > 10`.",
        "Comparez la valeur à une autre\u{a0}: `o -> o.total > 10`.",
    ),
    (
        "`array_to_string` takes a list of single values, these are of type {}",
        "`array_to_string` prend une liste de valeurs simples, celles-ci sont de type {}",
    ),
    (
        "Take one value of each element first: `array_to_string(array_transform(list, x -> x.name), ',')`.",
        "Prenez d’abord une valeur de chaque élément\u{a0}: `array_to_string(array_transform(list, x -> x.name), ',')`.",
    ),
    (
        "a value that is made of constants alone may become very large",
        "une valeur faite de constantes seules peut devenir très grande",
    ),
    (
        "values of type {} and {} cannot be compared",
        "des valeurs de type {} et {} ne se comparent pas",
    ),
    (
        "Write numbers without quotes and texts with single quotes, or convert with `CAST(… AS BIGINT)` or `TRY_CAST`.",
        "Écrivez les nombres sans guillemets et les textes entre apostrophes, ou convertissez par `CAST(… AS BIGINT)` ou `TRY_CAST`.",
    ),
    (
        "what is asked of the elements has to be true or false, this is of type {}",
        "ce qui est demandé des éléments doit être vrai ou faux, ceci est de type {}",
    ),
    ("what `EXISTS` selects has no meaning", "ce que `EXISTS` choisit n’a pas de sens"),
    (
        "a query over events results in one value",
        "une question sur des événements donne une valeur",
    ),
    (
        "Write `count(*)`, or `sum`, `avg`, `min` or `max` of something, behind `SELECT`, and calculate outside the brackets.",
        "Écrivez `count(*)`, ou `sum`, `avg`, `min` ou `max` de quelque chose, derrière `SELECT`, et calculez hors des parenthèses.",
    ),
    ("`{}` takes one value", "`{}` prend une valeur"),
    (
        "a query over events has the form `SELECT … FROM dataset WHERE …`",
        "une question sur des événements a la forme `SELECT … FROM jeu WHERE …`",
    ),
    (
        "Other parts of queries, such as joins, groups, orders and aliases, are not available.",
        "Les autres parties de requêtes, comme jointures, groupes, tris et alias, ne sont pas disponibles.",
    ),
    ("`{}` takes plain arguments here", "`{}` prend ici des arguments simples"),
    (
        "Conditions stand behind `WHERE`; `DISTINCT`, `FILTER` and `OVER` are not available.",
        "Les conditions vont derrière `WHERE`\u{a0}; `DISTINCT`, `FILTER` et `OVER` ne sont pas disponibles.",
    ),
    ("a sequence has at most {} parts", "une séquence a au plus {} parties"),
    (
        "a sequence cannot begin with what must not happen",
        "une séquence ne peut commencer par ce qui ne doit pas arriver",
    ),
    ("Negate the whole: `NOT sequence(…)`.", "Niez le tout\u{a0}: `NOT sequence(…)`."),
    (
        "the first step of a sequence has no step before it",
        "le premier pas d’une séquence n’a pas de pas avant lui",
    ),
    (
        "Say when it happened in its condition: `\"timestamp\" > now() - INTERVAL '7 days'`.",
        "Dites dans sa condition quand c’était\u{a0}: `\"timestamp\" > now() - INTERVAL '7 days'`.",
    ),
    (
        "`sequence` takes the name of an event dataset and steps",
        "`sequence` prend le nom d’un jeu d’événements et des pas",
    ),
    (
        "the parts of a sequence are `step(…)` and `without(…)`",
        "les parties d’une séquence sont `step(…)` et `without(…)`",
    ),
    ("`{}` takes one condition, then distances", "`{}` prend une condition, puis des distances"),
    (
        "`in_segment` takes one text: the key, id or name of a segment",
        "`in_segment` prend un texte\u{a0}: la clé, l’identifiant ou le nom d’un segment",
    ),
    (
        "a function of elements stands only as the last argument of another",
        "une fonction d’éléments n’est que le dernier argument d’une autre",
    ),
    (
        "`{}` takes a list and a function of its elements",
        "`{}` prend une liste et une fonction de ses éléments",
    ),
    (
        "a function of elements has one name on the left of `->`",
        "une fonction d’éléments a un nom à gauche de `->`",
    ),
    (
        "functions of elements are nested more than {} deep",
        "les fonctions d’éléments sont imbriquées sur plus de {} niveaux",
    ),
    ("Write for example `{}`.", "Écrivez par exemple `{}`."),
    (
        "there is no country `{}`, or its numbers are not known",
        "il n’y a pas de pays `{}`, ou ses numéros ne sont pas connus",
    ),
    (
        "Write for example `yyyy-MM-dd HH:mm:ss`; texts stand in two single quotes.",
        "Écrivez par exemple `yyyy-MM-dd HH:mm:ss`\u{a0}; les textes vont entre deux apostrophes.",
    ),
    ("a time has no part `{}` that can be set", "une heure n’a pas de partie `{}` qui se règle"),
    (
        "Write a name such as `'Europe/Paris'`, or an offset such as `'+02:00'`.",
        "Écrivez un nom comme `'Europe/Paris'`, ou un décalage comme `'+02:00'`.",
    ),
    ("a key is a text in single quotes", "une clé est un texte entre apostrophes"),
    (
        "Convert it with `TRY_CAST(… AS DOUBLE)`, or ask with `EXISTS`.",
        "Convertissez-le par `TRY_CAST(… AS DOUBLE)`, ou demandez par `EXISTS`.",
    ),
    (
        "`{}` does not say when its events happened",
        "`{}` ne dit pas quand ses événements ont eu lieu",
    ),
    (
        "It has none: add a dataset with `kind: event`.",
        "Il n’en a pas\u{a0}: ajoutez un jeu de données avec `kind: event`.",
    ),
    (
        "the expression would make more than {} MiB of a few records",
        "l’expression ferait plus de {} Mio de quelques enregistrements",
    ),
    (
        "Shorten what it works on first: `left(text, 1000)`, `array_slice(list, 1, 100)`.",
        "Raccourcissez d’abord ce sur quoi elle porte\u{a0}: `left(text, 1000)`, `array_slice(list, 1, 100)`.",
    ),
    ("a sum of events became too large", "une somme d’événements est devenue trop grande"),
    ("a number became too large", "un nombre est devenu trop grand"),
    ("a value cannot be read as {}", "une valeur ne peut être lue comme {}"),
    (
        "a deduplication key has to be a single value",
        "une clé de dédoublonnage doit être une valeur simple",
    ),
    ("Map a field inside it.", "Choisissez un champ dedans."),
    ("the opt-out cannot be read", "le refus ne peut être lu"),
    (
        "Name a field under `consent: {}` that is a boolean, a text or a whole number.",
        "Nommez sous `consent: {}` un champ qui est un booléen, un texte ou un nombre entier.",
    ),
    // Files
    (
        "It may be cut short, still being written, or of another format.",
        "Il est peut-être coupé, encore en écriture, ou d’un autre format.",
    ),
    (
        "the Parquet footer is damaged: {}",
        "la fin du fichier Parquet est abîmée\u{a0}: «\u{a0}{}\u{a0}»",
    ),
    ("the Parquet footer is encrypted", "la fin du fichier Parquet est chiffrée"),
    ("the Parquet footer is larger than {} bytes", "la fin du fichier Parquet dépasse {} octets"),
    (
        "the Parquet footer contradicts itself about the number of rows",
        "la fin du fichier Parquet se contredit sur le nombre de lignes",
    ),
    ("the Parquet data is damaged", "les données Parquet sont abîmées"),
    (
        "the Parquet file does not hold the rows that its footer counts",
        "le fichier Parquet n’a pas les lignes que sa fin compte",
    ),
    ("the file is empty: not even a header", "le fichier est vide\u{a0}: pas même un en-tête"),
    (
        "Correct the line, or put cells that hold the delimiter or a line break in quotes.",
        "Corrigez la ligne, ou mettez entre guillemets les cellules avec le séparateur ou une fin de ligne.",
    ),
    (
        "A quote inside a quoted cell is written twice.",
        "Un guillemet dans une cellule entre guillemets s’écrit deux fois.",
    ),
    ("cell {} is not UTF-8", "la cellule {} n’est pas en UTF-8"),
    ("the line is not UTF-8", "la ligne n’est pas en UTF-8"),
    ("Convert the file to UTF-8.", "Convertissez le fichier en UTF-8."),
    ("Convert it to UTF-8.", "Convertissez-le en UTF-8."),
    (
        "the file looks like UTF-16 and cannot be read as such",
        "le fichier semble en UTF-16 et ne peut être lu ainsi",
    ),
    ("the record is longer than {} bytes", "l’enregistrement dépasse {} octets"),
    ("the line is longer than {} bytes", "la ligne dépasse {} octets"),
    (
        "a quote is never closed in the record that begins here",
        "un guillemet n’est jamais fermé dans l’enregistrement qui commence ici",
    ),
    (
        "Close the quote, double it if it belongs to the text, or set `quote` of the dataset.",
        "Fermez le guillemet, doublez-le s’il est du texte, ou donnez `quote` du jeu de données.",
    ),
    ("the lines from here on cannot be read", "les lignes à partir d’ici ne peuvent être lues"),
    (
        "A field is a single value, a list or an object in all lines alike.",
        "Un champ est une valeur simple, une liste ou un objet dans toutes les lignes.",
    ),
    ("Write one object on each line.", "Écrivez un objet par ligne."),
    ("the object has the member `{}` twice", "l’objet a deux fois le membre `{}`"),
    (
        "Write each member once: nobody can tell which of the two is meant.",
        "Écrivez chaque membre une fois\u{a0}: rien ne dit lequel des deux est le bon.",
    ),
    (
        "Each object stands on one line; the file may be cut short.",
        "Chaque objet tient sur une ligne\u{a0}; le fichier est peut-être coupé.",
    ),
    (
        "no file matches the dataset's location",
        "aucun fichier ne répond à l’emplacement du jeu de données",
    ),
    (
        "Check the pattern; `**` reaches through folders, `*` does not.",
        "Vérifiez le motif\u{a0}; `**` traverse les dossiers, `*` non.",
    ),
    ("the location means more than {} files", "l’emplacement désigne plus de {} fichiers"),
    (
        "the file changed after the run had pinned it",
        "le fichier a changé après que l’exécution l’a retenu",
    ),
    (
        "Write new files under new names, or rename them into place, and run again.",
        "Écrivez les nouveaux fichiers sous de nouveaux noms, ou mettez-les en place par un renommage, et relancez.",
    ),
    ("{} was changed", "{} a été modifié"),
    (
        "All files of a dataset have to agree on the type of a field.",
        "Tous les fichiers d’un jeu de données doivent s’accorder sur le type d’un champ.",
    ),
    (
        "Profile datasets have to agree on the type of a field; declare it under `types:` where it is read from text, or rename it in one of the two.",
        "Les jeux de profils doivent s’accorder sur le type d’un champ\u{a0}; déclarez-le sous `types:` là où il est lu d’un texte, ou renommez-le dans l’un des deux.",
    ),
    ("the dataset `{}` has no field `{}`", "le jeu de données `{}` n’a pas de champ `{}`"),
    ("failed to open dataset `{}`", "le jeu de données `{}` n’a pas pu être ouvert"),
    ("failed to open dataset `{}`: {}", "le jeu de données `{}` n’a pas pu être ouvert\u{a0}: {}"),
    ("failed to open imported segment `{}`", "le segment importé `{}` n’a pas pu être ouvert"),
    (
        "failed to open imported segment `{}`: {}",
        "le segment importé `{}` n’a pas pu être ouvert\u{a0}: {}",
    ),
    ("dataset `{}`: {}", "jeu de données `{}`\u{a0}: {}"),
    (
        "more than {} bytes of temporary files are needed",
        "il faut plus de {} octets de fichiers temporaires",
    ),
    ("Raise the limit of temporary files.", "Relevez la limite des fichiers temporaires."),
    (
        "the folder is not a Delta table: it has no `_delta_log` with commits",
        "le dossier n’est pas une table Delta\u{a0}: il n’a pas de `_delta_log` avec des commits",
    ),
    ("the Delta table has no version {}", "la table Delta n’a pas de version {}"),
    ("the Delta table is damaged: {}", "la table Delta est abîmée\u{a0}: «\u{a0}{}\u{a0}»"),
    ("the database has no table or view `{}`", "la base n’a pas de table ni de vue `{}`"),
    (
        "Write it as in SQL, with its schema: `crm.customers`.",
        "Écrivez-la comme en SQL, avec son schéma\u{a0}: `crm.customers`.",
    ),
    ("the database cannot be reached: {}", "la base ne peut être jointe\u{a0}: «\u{a0}{}\u{a0}»"),
    (
        "Check host and port of the address, and that this machine may connect to it.",
        "Vérifiez hôte et port de l’adresse, et que cette machine peut s’y connecter.",
    ),
    ("Nothing of it was kept; run again.", "Rien n’en a été gardé\u{a0}; relancez."),
    // Runs
    (
        "the increment for {} waits: run {} for {} is committed and not delivered yet, and each builds on the one before",
        "l’incrément pour {} attend\u{a0}: l’exécution {} pour {} est décidée et pas encore livrée, et chacun part du précédent",
    ),
    (
        "`segue show` tells what is in that run's way; it goes on by itself with the next `segue run`.",
        "`segue show` dit ce qui arrête cette exécution\u{a0}; elle continue d’elle-même à la prochaine.",
    ),
    (
        "the upload of {} is lost, and its rows cannot be read again",
        "l’envoi de {} est perdu, et ses lignes ne peuvent être relues",
    ),
    (
        "Restore the project file and the input of the run, and run again.",
        "Restaurez le fichier du projet et les entrées de l’exécution, et relancez.",
    ),
    (
        "key {} is reserved by run {} of {}/{} for {}",
        "la clé {} est réservée par l’exécution {} de {}/{} pour {}",
    ),
    (
        "key {} already holds what run {} delivered for {}",
        "la clé {} contient déjà ce que l’exécution {} a livré pour {}",
    ),
    (
        "Two runs may not write to the same key. Give one of them another file name or folder, or let the other run finish: the next `segue run` goes on with it.",
        "Deux exécutions ne peuvent écrire à la même clé. Donnez à l’une un autre nom de fichier ou dossier, ou laissez l’autre finir\u{a0}: le prochain `segue run` la poursuit.",
    ),
    (
        "Put more of the time into the file name, such as %DATETIME(yyyyMMddHHmmss)%, or leave the time out to replace the object with every run.",
        "Mettez plus de l’heure dans le nom du fichier, comme %DATETIME(yyyyMMddHHmmss)%, ou retirez l’heure pour que chaque exécution remplace l’objet.",
    ),
    ("{} cannot be written: {}", "{} ne peut être écrit\u{a0}: «\u{a0}{}\u{a0}»"),
    (
        "Move or delete that object if nobody needs it, or give `file_name` (or `folder`) another text.",
        "Déplacez ou supprimez cet objet si personne n’en a besoin, ou donnez un autre texte à `file_name` (ou `folder`).",
    ),
    (
        "the run was interrupted; nothing of it is visible",
        "l’exécution a été interrompue\u{a0}; rien n’en est visible",
    ),
    (
        "the process that had the run ended before it was committed; nothing of it is visible",
        "le processus de l’exécution a fini avant qu’elle soit décidée\u{a0}; rien n’en est visible",
    ),
    (
        "somebody ended the run while it was tried",
        "quelqu’un a mis fin à l’exécution pendant sa tentative",
    ),
    ("`{}` of account `{}` is empty", "`{}` du compte `{}` est vide"),
    (
        "Set the variable that the project file names there, and run again; or deliver to a folder with --to.",
        "Donnez la variable que le fichier du projet nomme là, et relancez\u{a0}; ou livrez dans un dossier avec --to.",
    ),
    ("failed to read the certificates {}", "les certificats {} n’ont pas pu être lus"),
    (
        "Correct ca_file of the account; it is relative to the project file.",
        "Corrigez ca_file du compte\u{a0}; il est relatif au fichier du projet.",
    ),
    ("run {} waits for nobody", "l’exécution {} n’attend personne"),
    ("somebody has decided about run {} already", "quelqu’un a déjà décidé de l’exécution {}"),
    (
        "the destination of run {} is not in the project",
        "la destination de l’exécution {} n’est pas dans le projet",
    ),
    ("Put it back first.", "Remettez-la d’abord."),
    ("{} of run {} is visible already", "{} de l’exécution {} est déjà visible"),
    (
        "Release the run, so that its files are whole; Segue removes no object.",
        "Libérez l’exécution, pour que ses fichiers soient entiers\u{a0}; Segue ne supprime aucun objet.",
    ),
    ("run {} is being replayed at this moment", "l’exécution {} est en train d’être rejouée"),
    ("Wait until that is done.", "Attendez que ce soit fait."),
    // Secrets and alerts
    ("the secret `{}` is empty", "le secret `{}` est vide"),
    ("the secret `{}` has more than {} bytes", "le secret `{}` a plus de {} octets"),
    (
        "the name of a secret is made of letters, digits, `_`, `-` and `.`, begins with a letter or a digit, and has at most 64 characters",
        "le nom d’un secret est fait de lettres, de chiffres, de `_`, `-` et `.`, commence par une lettre ou un chiffre, et a au plus 64 caractères",
    ),
    ("the secret `{}` is not stored", "le secret `{}` n’est pas gardé"),
    (
        "Store it with `segue secret set {}`; `segue secret list` shows what is there.",
        "Gardez-le dans les réglages, ou avec `segue secret set {}`\u{a0}; `segue secret list` montre ce qu’il y a.",
    ),
    ("a token lives from 1 to {} days", "un jeton vit de 1 à {} jours"),
    (
        "the {} is no http or https URL",
        "l’adresse de «\u{a0}{}\u{a0}» n’est pas une URL http ou https",
    ),
    (
        "the {} is beyond this machine and not https",
        "l’adresse de «\u{a0}{}\u{a0}» est hors de cette machine et pas en https",
    ),
    ("nobody gets the mail", "personne ne reçoit le courriel"),
    (
        "the password of the mail server stands in its address",
        "le mot de passe du serveur de courriel est dans son adresse",
    ),
    ("At most {} objects are stored.", "Au plus {} objets sont gardés."),
    ("A definition has at most {} KiB.", "Une définition a au plus {} Kio."),
    ("this is no folder", "ceci n’est pas un dossier"),
];
