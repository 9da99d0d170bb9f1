//! The ledger, secrets, alerts, users, and answers of the API.

/// English and French, as in [`TOLD`](super::TOLD).
pub(super) const TOLD: &[(&str, &str)] = &[
    // The ledger
    ("the ledger {} is in use by another process", "le registre {} sert à un autre processus"),
    (
        "the ledger {} is in use by another process (process {})",
        "le registre {} sert à un autre processus (processus {})",
    ),
    (
        "run {} was taken over: epoch {} is not the latest",
        "l’exécution {} a été reprise par un autre\u{a0}: l’époque {} n’est pas la dernière",
    ),
    (
        "run {} is in the hands of another process",
        "l’exécution {} est entre les mains d’un autre processus",
    ),
    (
        "the slot {} of {}/{} was taken over: epoch {} is not the latest",
        "le créneau {} de {}/{} a été repris par un autre\u{a0}: l’époque {} n’est pas la dernière",
    ),
    (
        "run {} is {} and cannot {}",
        "l’exécution {} est dans l’état `{}` et ne peut aller plus loin (`{}`)",
    ),
    ("run {} cannot be recorded: {}", "l’exécution {} ne peut être notée\u{a0}: «\u{a0}{}\u{a0}»"),
    (
        "the ledger {} has schema {}, and this version knows only {}",
        "le registre {} a le schéma {}, et cette version ne connaît que {}",
    ),
    (
        "the ledger {} has schema {}, older than {}, and is open for reading only",
        "le registre {} a le schéma {}, plus ancien que {}, et n’est ouvert qu’en lecture",
    ),
    ("{} is a database, but not a ledger", "{} est une base, mais pas un registre"),
    (
        "there is something in the ledger {} already",
        "il y a déjà quelque chose dans le registre {}",
    ),
    ("the ledger {} is not a file", "le registre {} n’est pas un fichier"),
    (
        "the ledger {} cannot be opened: {}",
        "le registre {} ne peut être ouvert\u{a0}: «\u{a0}{}\u{a0}»",
    ),
    ("the database of the ledger cannot be reached", "la base du registre ne peut être jointe"),
    (
        "the database of the ledger cannot be reached: {}",
        "la base du registre ne peut être jointe\u{a0}: «\u{a0}{}\u{a0}»",
    ),
    (
        "a pooler between Segue and the database of the ledger changes connections",
        "un intermédiaire entre Segue et la base du registre change les connexions",
    ),
    (
        "a pooler between Segue and the database of the ledger changes connections: {}",
        "un intermédiaire entre Segue et la base du registre change les connexions\u{a0}: «\u{a0}{}\u{a0}»",
    ),
    ("the ledger is damaged", "le registre est abîmé"),
    ("the ledger is damaged: {}", "le registre est abîmé\u{a0}: «\u{a0}{}\u{a0}»"),
    ("the disk that holds the ledger {} is full", "le disque du registre {} est plein"),
    (
        "the disk that holds the ledger {} is full: {}",
        "le disque du registre {} est plein\u{a0}: «\u{a0}{}\u{a0}»",
    ),
    (
        "the disk that holds the ledger in the database is full",
        "le disque de la base du registre est plein",
    ),
    (
        "the disk that holds the ledger in the database is full: {}",
        "le disque de la base du registre est plein\u{a0}: «\u{a0}{}\u{a0}»",
    ),
    ("the ledger cannot be written", "le registre ne peut être écrit"),
    ("the ledger cannot be written: {}", "le registre ne peut être écrit\u{a0}: «\u{a0}{}\u{a0}»"),
    (
        "the ledger takes no more writes after a failed one",
        "le registre n’accepte plus d’écriture après un échec",
    ),
    ("the ledger is busy", "le registre est occupé"),
    ("the ledger is busy: {}", "le registre est occupé\u{a0}: «\u{a0}{}\u{a0}»"),
    ("the ledger failed", "le registre a échoué"),
    ("the ledger failed: {}", "le registre a échoué\u{a0}: «\u{a0}{}\u{a0}»"),
    (
        "key {} already holds what the later run {} delivered for {}",
        "la clé {} contient déjà ce que l’exécution plus tard {} a livré pour {}",
    ),
    (
        "A newer file set is in place, and an older one never replaces it.",
        "Un ensemble plus récent est en place, et un plus ancien ne le remplace jamais.",
    ),
    (
        "One process at a time runs with a state folder. Wait until the other one ends, or give this one a folder of its own with --state-dir.",
        "Un seul processus à la fois travaille avec un dossier d’état. Attendez que l’autre finisse, ou donnez à celui-ci son dossier avec --state-dir.",
    ),
    (
        "Use the version of Segue that wrote it, or a newer one.",
        "Prenez la version de Segue qui l’a écrit, ou une plus récente.",
    ),
    (
        "Nothing is lost: what was committed goes on when the database is there again.",
        "Rien n’est perdu\u{a0}: ce qui était décidé continue quand la base est de retour.",
    ),
    (
        "Add `?pooler=transaction` to the address of the database. Nothing is lost.",
        "Ajoutez `?pooler=transaction` à l’adresse de la base. Rien n’est perdu.",
    ),
    (
        "Restore the state folder from a backup. Do not delete it: without it Segue cannot tell what was delivered.",
        "Restaurez le dossier d’état d’une sauvegarde. Ne le supprimez pas\u{a0}: sans lui, Segue ne peut dire ce qui a été livré.",
    ),
    (
        "Free some space on that disk, or move the state folder to a larger one and name it with --state-dir, and run again; nothing is lost, and committed runs go on where they stopped.",
        "Faites de la place sur ce disque, ou déplacez le dossier d’état sur un plus grand et nommez-le avec --state-dir, puis relancez\u{a0}; rien n’est perdu, et les exécutions décidées reprennent là où elles en étaient.",
    ),
    (
        "Check the disk and the permissions of the state folder, and run again.",
        "Vérifiez le disque et les droits du dossier d’état, et relancez.",
    ),
    (
        "Start the process again; it goes on with what the ledger holds.",
        "Redémarrez le processus\u{a0}; il continue avec ce que contient le registre.",
    ),
    (
        "That process takes it to its end, or another one does within a minute of its death; `segue runs` shows it.",
        "Ce processus la mène à son terme, ou un autre le fait dans la minute qui suit sa mort\u{a0}; la liste des exécutions le montre.",
    ),
    (
        "Try again; another program is reading or copying the ledger.",
        "Réessayez\u{a0}; un autre programme lit ou copie le registre.",
    ),
    ("`segue runs` lists the runs.", "La page des exécutions les montre."),
    ("no encrypted connection can be made", "aucune connexion chiffrée ne peut être établie"),
    ("the sign-in is refused", "l’authentification est refusée"),
    (
        "Check user and password of the address, or SEGUE_DATABASE_PASSWORD.",
        "Vérifiez l’utilisateur et le mot de passe de l’adresse, ou SEGUE_DATABASE_PASSWORD.",
    ),
    (
        "Make it with `createdb`, or correct the last part of the address.",
        "Créez-la par `createdb`, ou corrigez la dernière partie de l’adresse.",
    ),
    ("the server has no connection left", "le serveur n’a plus de connexion libre"),
    (
        "Try again later, or raise `max_connections` of the server.",
        "Réessayez plus tard, ou augmentez `max_connections` du serveur.",
    ),
    ("the server is starting", "le serveur démarre"),
    ("Try again in a moment.", "Réessayez dans un instant."),
    ("the server answers with error {}", "le serveur répond par l’erreur {}"),
    ("nothing listens there", "rien n’y écoute"),
    ("it does not answer", "elle ne répond pas"),
    ("the host is not known", "l’hôte n’est pas connu"),
    ("its answer cannot be understood", "sa réponse ne se comprend pas"),
    (
        "Check that the address is that of a PostgreSQL server.",
        "Vérifiez que l’adresse est celle d’un serveur PostgreSQL.",
    ),
    ("the ledger cannot be read", "le registre ne peut être lu"),
    ("the ledger does not answer", "le registre ne répond pas"),
    ("the planner makes no passes", "la planification n’avance pas"),
    // Secrets
    ("the secret `{}` cannot be sealed", "le secret `{}` ne peut être scellé"),
    ("there are {} secrets already", "il y a déjà {} secrets"),
    (
        "Remove those that are not needed with `segue secret remove`.",
        "Retirez ceux qui ne servent pas.",
    ),
    ("the store of secrets cannot be read", "le coffre des secrets ne peut être lu"),
    ("the secret `{}` cannot be {} in {}", "le secret `{1}` n’est pas utilisable dans {3}"),
    (
        "the secret `{}` is sealed under the master key {}, which is not at hand",
        "le secret `{}` est scellé sous la clé maîtresse {}, qui n’est pas là",
    ),
    (
        "Bring back that key, in {} or {}, or store the secret again with `segue secret set {}`.",
        "Reprenez cette clé, dans {} ou {}, ou gardez à nouveau le secret par `segue secret set {}`.",
    ),
    (
        "the secret `{}` is damaged, or was put in the place of another",
        "le secret `{}` est abîmé, ou a été mis à la place d’un autre",
    ),
    (
        "Store it again with `segue secret set {}`.",
        "Gardez-le à nouveau par `segue secret set {}`.",
    ),
    ("a master key cannot be made", "une clé maîtresse ne peut être faite"),
    ("{} holds no master key", "{} ne contient pas de clé maîtresse"),
    (
        "A master key is 32 random bytes as 64 hexadecimal digits: `openssl rand -hex 32`.",
        "Une clé maîtresse est 32 octets au hasard en 64 chiffres hexadécimaux\u{a0}: `openssl rand -hex 32`.",
    ),
    (
        "everybody on this machine can read the master key in {}",
        "tout le monde sur cette machine peut lire la clé maîtresse dans {}",
    ),
    (
        "Let only its owner read it: `chmod 600`.",
        "Ne laissez que son propriétaire la lire\u{a0}: `chmod 600`.",
    ),
    ("the master key in {} cannot be read", "la clé maîtresse dans {} ne peut être lue"),
    (
        "Bring the file back, or name the key with {}; without it stored secrets cannot be opened.",
        "Reprenez le fichier, ou nommez la clé par {}\u{a0}; sans elle, les secrets gardés ne s’ouvrent pas.",
    ),
    ("the master key cannot be written to {}", "la clé maîtresse ne peut être écrite dans {}"),
    // Alerts
    (
        "no file yet, {} after it was due; the slot is running",
        "pas encore de fichier, {} après l’heure prévue\u{a0}; l’exécution est en cours",
    ),
    (
        "no file yet, {} after it was due; the slot is blocked",
        "pas encore de fichier, {} après l’heure prévue\u{a0}; l’exécution est bloquée",
    ),
    (
        "no file yet, {} after it was due; the slot waits",
        "pas encore de fichier, {} après l’heure prévue\u{a0}; le créneau attend",
    ),
    (
        "no file for a whole period: nothing was delivered for {} or later, {} after {}",
        "pas de fichier pour toute une période\u{a0}: rien n’a été livré pour {} ou plus tard, {} après {}",
    ),
    ("the run began", "l’exécution a commencé"),
    ("the file set is visible", "les fichiers sont visibles"),
    ("no connection to {}: {}", "pas de connexion à {}\u{a0}: «\u{a0}{}\u{a0}»"),
    (
        "the mail server offers no encryption (STARTTLS)",
        "le serveur de courriel n’offre pas de chiffrement (STARTTLS)",
    ),
    ("the connection broke: {}", "la connexion s’est rompue\u{a0}: «\u{a0}{}\u{a0}»"),
    ("{} is no name of a server", "{} n’est pas le nom d’un serveur"),
    ("no trusted TLS connection: {}", "pas de connexion TLS de confiance\u{a0}: «\u{a0}{}\u{a0}»"),
    ("the mail server does not offer AUTH PLAIN", "le serveur de courriel n’offre pas AUTH PLAIN"),
    (
        "the mail server spoke before it was encrypted",
        "le serveur de courriel a parlé avant d’être chiffré",
    ),
    ("the mail server said {} {}", "le serveur de courriel a dit\u{a0}: «\u{a0}{} {}\u{a0}»"),
    ("the mail server ended the connection", "le serveur de courriel a mis fin à la connexion"),
    ("the mail server says too much", "le serveur de courriel en dit trop"),
    ("answered {}", "a répondu {}"),
    ("{} is damaged", "{} est abîmé"),
    (
        "Remove it, and set where alerts go again.",
        "Retirez-le, et dites à nouveau où vont les alertes.",
    ),
    ("failed to write where alerts go", "les voies des alertes n’ont pas pu être gardées"),
    ("Name them with --mail-to.", "Nommez-les avec --mail-to."),
    // Users and sign-in
    ("the password cannot be hashed", "le mot de passe ne peut être traité"),
    (
        "a name has 1 to {} letters, digits, dots, hyphens, underscores or @",
        "un nom a de 1 à {} lettres, chiffres, points, tirets, soulignés ou @",
    ),
    ("a password has at most {} characters", "un mot de passe a au plus {} caractères"),
    (
        "the password is one that everybody tries first",
        "c’est un mot de passe que tout le monde essaie d’abord",
    ),
    ("the password holds the name", "le mot de passe contient le nom"),
    ("This request made the token {} already.", "Cette demande a déjà fait le jeton {}."),
    (
        "Its text was told once. If nobody has it, revoke the token and make another.",
        "Son texte a été dit une fois. Si personne ne l’a, révoquez le jeton et faites-en un autre.",
    ),
    (
        "This idempotency key was used for another request.",
        "Cette clé d’idempotence a servi à une autre demande.",
    ),
    ("The session is over.", "La session est finie."),
    ("This needs a token or a session.", "Cela demande un jeton ou une session."),
    (
        "Requests of other sites are not answered.",
        "Les requêtes d’autres sites n’ont pas de réponse.",
    ),
    ("The `Host` header names another server.", "L’en-tête `Host` nomme un autre serveur."),
    (
        "Start the server with --host and the name by which it is called.",
        "Démarrez le serveur avec --host et le nom par lequel il est appelé.",
    ),
    ("The form has no key.", "Le formulaire n’a pas de clé."),
    ("Open the page again.", "Rouvrez la page."),
    // Objects
    ("No key begins with `{}`.", "Aucune clé ne commence par `{}`."),
    ("definitions changed in between", "des définitions ont été modifiées entre-temps"),
    (
        "the project could not be checked against its data",
        "le projet n’a pas pu être vérifié sur ses données",
    ),
    (
        "an edit could not be checked against the data",
        "une modification n’a pas pu être vérifiée sur les données",
    ),
    ("the {} is in the project file", "l’objet ({1}) est dans le fichier du projet"),
    ("Change it there.", "Modifiez-le là."),
    ("there is a {} already", "il existe déjà ({1})"),
    ("Choose another key.", "Choisissez une autre clé."),
    ("the {} was changed meanwhile", "l’objet ({1}) a été modifié entre-temps"),
    ("it was changed meanwhile", "cela a été modifié entre-temps"),
    ("Read it again.", "Relisez-le."),
    ("the {} is used by {}", "l’objet ({1}) est utilisé par\u{a0}: {2}"),
    (
        "Say which version of the {} the edit was made for.",
        "Dites pour quelle version de l’objet ({1}) la modification a été faite.",
    ),
    (
        "Send its ETag as `If-Match`, or `*` for whichever there is.",
        "Envoyez son ETag comme `If-Match`, ou `*` pour n’importe laquelle.",
    ),
    ("The destination needs {}.", "La destination a besoin de {}."),
    // Answers of the API
    ("There is no member `{}` here.", "Il n’y a pas de membre `{}` ici."),
    ("It has no members.", "Il n’a pas de membres."),
    ("The body lacks `{}`.", "Il manque `{}` au corps."),
    ("`{}` lacks `{}`.", "Il manque `{2}` à `{1}`."),
    ("`{}` stands there twice.", "`{}` y est deux fois."),
    ("`{}` is one of {}.", "`{}` est l’un de {}."),
    ("`{}` has to be {}.", "`{}` doit être {}."),
    ("`{}` has to be a whole number from {} to {}.", "`{}` doit être un nombre entier de {} à {}."),
    ("`{}` has to be a time such as {}.", "`{}` doit être une heure comme {}."),
    ("`{}` has to be an instant such as {}.", "`{}` doit être un instant comme {}."),
    ("The body has to be {}.", "Le corps doit être {}."),
    (
        "The body is not JSON (line {}, column {}).",
        "Le corps n’est pas du JSON (ligne {}, colonne {}).",
    ),
    (
        "The body does not have the form that the reference gives (line {}, column {}).",
        "Le corps n’a pas la forme que donne la référence (ligne {}, colonne {}).",
    ),
    (
        "GET /api/docs shows the form of every body.",
        "GET /api/docs montre la forme de chaque corps.",
    ),
    ("The body did not arrive whole.", "Le corps n’est pas arrivé entier."),
    ("The answer cannot be written.", "La réponse ne peut être écrite."),
    ("The answer cannot be read.", "La réponse ne peut être lue."),
    ("The answer is empty.", "La réponse est vide."),
    ("There is no such parameter.", "Ce paramètre n’existe pas."),
    ("This takes none.", "Il n’y en a pas ici."),
    ("`{}` is given twice.", "`{}` est donné deux fois."),
    ("`{}` is at most {}.", "`{}` est au plus {}."),
    ("`{}` has 1 to {} characters.", "`{}` a de 1 à {} caractères."),
    ("`{}` has 1 to {} paths.", "`{}` a de 1 à {} chemins."),
    ("`cursor` is not one that a list gave.", "`cursor` ne vient pas d’une liste."),
    (
        "Leave it out for the first page; each page names the next one.",
        "Ne le donnez pas pour la première page\u{a0}; chaque page nomme la suivante.",
    ),
    ("`run` is the id of a run.", "`run` est l’identifiant d’une exécution."),
    ("The activation does not send segment `{}`.", "L’activation n’envoie pas le segment `{}`."),
    ("`segment` is for activations.", "`segment` est pour les activations."),
    ("`columns` are for segments.", "`columns` est pour les segments."),
    (
        "The mapping of the activation says which columns there are.",
        "Les colonnes sont celles de l’activation.",
    ),
    ("Leave `unmask` out.", "Retirez `unmask`."),
    (
        "`definition` has to have one of `rule` and `pql`.",
        "`definition` doit avoir `rule` ou `pql`.",
    ),
    ("`sample` is at most {}.", "`sample` est au plus {}."),
    ("There is nothing at this path.", "Il n’y a rien à ce chemin."),
    ("GET /api/docs shows what there is.", "GET /api/docs montre ce qu’il y a."),
    ("The path takes other methods.", "Le chemin prend d’autres méthodes."),
    (
        "The server was started with a {}.",
        "Le serveur a été démarré avec ce réglage («\u{a0}{}\u{a0}»).",
    ),
    ("the server does not answer", "le serveur ne répond pas"),
    // Where the ledger is, and other servers
    (
        "Write `postgres://USER@HOST:5432/DATABASE`, and the password into SEGUE_DATABASE_PASSWORD.",
        "Écrivez `postgres://USER@HOST:5432/DATABASE`, et le mot de passe dans SEGUE_DATABASE_PASSWORD.",
    ),
    (
        "Name a schema that is empty or not there yet: `?schema=…` behind the address.",
        "Nommez un schéma vide ou qui n’existe pas encore\u{a0}: `?schema=…` derrière l’adresse.",
    ),
    (
        "Name another state folder with --state-dir.",
        "Nommez un autre dossier d’état avec --state-dir.",
    ),
    (
        "the ledger was restored at {} from a backup of {}, and does not know what was delivered since",
        "le registre a été restauré à {} d’une sauvegarde de {}, et ne sait pas ce qui a été livré depuis",
    ),
    (
        "`segue restore --settle` tells what was due in between as skipped, so that nothing is sent twice; then run what is missing by its slot.",
        "`segue restore --settle` dit sauté ce qui était prévu entre-temps, pour que rien ne soit envoyé deux fois\u{a0}; lancez ensuite ce qui manque par son créneau.",
    ),
    ("{} cannot be read", "{} ne peut être lu"),
    ("{} cannot be written", "{} ne peut être écrit"),
    (
        "Restore it from a backup of the state folder.",
        "Restaurez-le d’une sauvegarde du dossier d’état.",
    ),
    (
        "Make the state folder writable, and begin again.",
        "Rendez le dossier d’état inscriptible, et recommencez.",
    ),
    ("there is no stored {}", "il n’y a pas d’objet gardé ({1})"),
    // Requests
    ("Only bearer tokens are taken.", "Seuls les jetons «\u{a0}bearer\u{a0}» sont acceptés."),
    (
        "The token is not one of this server, or it has expired.",
        "Le jeton n’est pas de ce serveur, ou il a expiré.",
    ),
    (
        "A request that changes something needs the header `{}`.",
        "Une requête qui modifie quelque chose demande l’en-tête `{}`.",
    ),
    (
        "It is in the answer that began the session.",
        "Il est dans la réponse qui a commencé la session.",
    ),
    ("GET /api/v1/segments lists them.", "GET /api/v1/segments les montre."),
    ("`GET /api/v1/schema` lists them.", "`GET /api/v1/schema` les montre."),
    (
        "It comes from the project file, and is read-only here.",
        "Cela vient du fichier du projet, et se lit seulement ici.",
    ),
    (
        "The {} is in the project file, and is read-only here.",
        "L’objet ({1}) est dans le fichier du projet, et se lit seulement ici.",
    ),
    ("There is a {} already.", "Il existe déjà ({1})."),
    ("The {} was changed since.", "L’objet ({1}) a été modifié depuis."),
    ("The {} is used by {}.", "L’objet ({1}) est utilisé par\u{a0}: {2}."),
    ("The body has to be `{}`.", "Le corps doit être `{}`."),
    (
        "`Idempotency-Key` has 1 to {} printable characters.",
        "`Idempotency-Key` a de 1 à {} caractères imprimables.",
    ),
];
