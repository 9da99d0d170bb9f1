//! What becomes of slots and runs, and the bytes of files.

/// English and French, as in [`TOLD`](super::TOLD).
pub(super) const TOLD: &[(&str, &str)] = &[
    // What becomes of slots
    (
        "a later slot of the same segment takes its place",
        "un créneau plus tard du même segment prend sa place",
    ),
    (
        "the run before was not over, and the schedule says `overlap: skip`",
        "l’exécution d’avant n’était pas finie, et le calendrier dit `overlap: skip`",
    ),
    (
        "nothing ran at its time, and it is too old to be made up for",
        "rien n’a tourné à son heure, et il est trop ancien pour être rattrapé",
    ),
    ("the activation was disabled", "l’activation était en pause"),
    (
        "its activation was disabled: the run ends, unless it is committed",
        "son activation a été mise en pause\u{a0}: l’exécution finit, sauf si elle est décidée",
    ),
    (
        "the ledger was restored from a backup that is older",
        "le registre a été restauré d’une sauvegarde plus ancienne",
    ),
    (
        "a later slot was delivered meanwhile, and what it sent takes the place of this one",
        "un créneau plus tard a été livré entre-temps, et ce qu’il a envoyé prend la place de celui-ci",
    ),
    ("a later slot was delivered", "un créneau plus tard a été livré"),
    ("there was nothing to send", "il n’y avait rien à envoyer"),
    ("no profile to send", "aucun profil à envoyer"),
    (
        "the process died under this run three times",
        "le processus est mort trois fois pendant cette exécution",
    ),
    (
        "a fault of Segue stopped the run; the log says where",
        "une faute de Segue a arrêté l’exécution\u{a0}; le journal dit où",
    ),
    ("the run stopped unexpectedly ({})", "l’exécution s’est arrêtée de façon inattendue ({})"),
    ("the run failed", "l’exécution a échoué"),
    (
        "run {} waits for somebody to decide: {}",
        "l’exécution {} attend que quelqu’un décide\u{a0}: {}",
    ),
    ("the guard stopped the run: {}", "le garde-fou a arrêté l’exécution\u{a0}: {}"),
    (
        "`segue release {}` lets it go on, `segue reject {} --reason …` ends it.",
        "`segue release {}` la fait continuer, `segue reject {} --reason …` y met fin.",
    ),
    (
        "The run is committed and loses nothing: the next `segue run` goes on with it where it stopped.",
        "L’exécution est décidée et ne perd rien\u{a0}: le prochain `segue run` la poursuit là où elle s’est arrêtée.",
    ),
    ("run {} is blocked at {}: {}", "l’exécution {} est bloquée à {}\u{a0}: {}"),
    (
        "{} rows are staged, but {} were to be sent",
        "{} lignes sont prêtes, mais {} étaient à envoyer",
    ),
    (
        "Nothing is visible. This is a fault of Segue: report it with the version and the project file.",
        "Rien n’est visible. C’est une faute de Segue\u{a0}: signalez-la avec la version et le fichier du projet.",
    ),
    (
        "the object there was changed by another writer since the last run",
        "l’objet qui s’y trouve a été modifié par un autre depuis la dernière exécution",
    ),
    (
        "an object is there that this ledger does not know",
        "il s’y trouve un objet que ce registre ne connaît pas",
    ),
    (
        "the record of whose data the run sends could not be made",
        "la trace des personnes dont l’exécution envoie les données n’a pas pu être faite",
    ),
    (
        "Run it again for the same slot with `--slot`.",
        "Relancez-la pour le même créneau avec `--slot`.",
    ),
    ("the run could not be kept", "l’exécution n’a pas pu être gardée"),
    ("failed to evaluate segment `{}`", "le segment `{}` n’a pas pu être évalué"),
    ("activation `{}` has no segments", "l’activation `{}` n’a pas de segments"),
    ("destination `{}` has no {}", "la destination `{}` n’a pas de {}"),
    ("waits for the slot {}, which is not over", "attend le créneau {}, qui n’est pas fini"),
    (
        "waits for the slot {}, until somebody releases or rejects its run",
        "attend le créneau {}, jusqu’à ce que quelqu’un libère ou rejette son exécution",
    ),
    (
        "waits until somebody releases or rejects its run",
        "attend que quelqu’un libère ou rejette son exécution",
    ),
    ("waits for its next attempt at {}", "attend sa prochaine tentative à {}"),
    (
        "waits for its turn among the runs that may go on at once",
        "attend son tour parmi les exécutions qui peuvent avancer en même temps",
    ),
    ("waits until its activation is enabled", "attend que son activation soit réactivée"),
    ("waits for an evaluation of its segment", "attend une évaluation de son segment"),
    // What a run found at the service
    (
        "the object became visible with other bytes than were staged",
        "l’objet est devenu visible avec d’autres octets que ceux préparés",
    ),
    ("another writer changed what is at the key", "un autre a modifié ce qui est à la clé"),
    ("the service lost the upload", "le service a perdu l’envoi"),
    (
        "the upload is lost and its bytes could not be made again",
        "l’envoi est perdu et ses octets n’ont pas pu être refaits",
    ),
    ("the service refused the parts that were staged", "le service a refusé les morceaux préparés"),
    (
        "the bucket answers from another region or address",
        "le bucket répond d’une autre région ou adresse",
    ),
    ("the service denied the request", "le service a refusé la requête"),
    (
        "the service does not say whether the object is there",
        "le service ne dit pas si l’objet est là",
    ),
    ("the service gave no clear answer", "le service n’a pas donné de réponse claire"),
    ("{} in the state folder cannot be looked at", "{} du dossier d’état ne peut être examiné"),
    ("what stands at {} is damaged", "ce qui est à {} est abîmé"),
    ("Remove it, and release again.", "Retirez-le, et libérez à nouveau."),
    ("what stands at {} cannot be looked at", "ce qui est à {} ne peut être examiné"),
    (
        "Give the account s3:GetObject and s3:ListBucket.",
        "Donnez au compte s3:GetObject et s3:ListBucket.",
    ),
    (
        "`segue runs` shows which runs are blocked, and why.",
        "La liste des exécutions montre lesquelles sont bloquées, et pourquoi.",
    ),
    ("`segue show` says who, and what.", "La page de l’exécution dit qui, et quoi."),
    ("there is no run {}", "il n’y a pas d’exécution {}"),
    (
        "`segue runs --state delivered` lists such runs.",
        "La liste des exécutions livrées les montre.",
    ),
    ("{} is not read any more", "{} n’est plus lu"),
    ("{} is new", "{} est nouveau"),
    ("failed to write {}", "{} n’a pas pu être écrit"),
    (
        "Give this user the right to write there, or name another --state-dir.",
        "Donnez à cet utilisateur le droit d’y écrire, ou nommez un autre --state-dir.",
    ),
    // Files and their bytes
    ("failed to open the folder {}", "le dossier {} n’a pas pu être ouvert"),
    ("a file needs at least one column", "un fichier a besoin d’au moins une colonne"),
    (
        "{} columns are more than the {} that a file can have",
        "{} colonnes, c’est plus que les {} qu’un fichier peut avoir",
    ),
    ("the columns {} and {} have the same name", "les colonnes {} et {} ont le même nom"),
    (
        "column {} is of type {}, which has no form in a text file",
        "la colonne {} est de type {}, qui n’a pas de forme dans un fichier de texte",
    ),
    (
        "the file settings contradict each other: {}",
        "les réglages du fichier se contredisent\u{a0}: {}",
    ),
    ("the delimiter has to be an ASCII sign", "le séparateur doit être un signe ASCII"),
    (
        "the quote has to be an ASCII sign other than the delimiter",
        "le guillemet doit être un signe ASCII autre que le séparateur",
    ),
    (
        "the escape has to be an ASCII sign other than the delimiter",
        "l’échappement doit être un signe ASCII autre que le séparateur",
    ),
    (
        "the texts of missing and empty values cannot hold a delimiter, a quote or a line end",
        "les textes des valeurs absentes et vides ne peuvent contenir un séparateur, un guillemet ou une fin de ligne",
    ),
    (
        "the header of column {} cannot be written: {}",
        "l’en-tête de la colonne {} ne peut être écrit\u{a0}: {}",
    ),
    (
        "a batch has {} columns where the file has {}",
        "un lot a {} colonnes là où le fichier en a {}",
    ),
    (
        "a value of column {} is out of the range of its type in a Parquet file",
        "une valeur de la colonne {} est hors des bornes de son type dans un fichier Parquet",
    ),
    (
        "the columns of a batch do not fit the file",
        "les colonnes d’un lot ne vont pas avec le fichier",
    ),
    ("the Parquet writer failed", "l’écriture Parquet a échoué"),
    ("the Parquet writer failed: {}", "l’écriture Parquet a échoué\u{a0}: «\u{a0}{}\u{a0}»"),
    (
        "the columns of a batch do not fit the file: {}",
        "les colonnes d’un lot ne vont pas avec le fichier\u{a0}: «\u{a0}{}\u{a0}»",
    ),
    (
        "the text of a batch of {} rows is over 4 GiB",
        "le texte d’un lot de {} lignes dépasse 4 Gio",
    ),
    (
        "the character {} at byte {} cannot be written in {}",
        "le caractère {} à l’octet {} ne peut être écrit en {}",
    ),
    ("the text at byte {} is no valid UTF-8", "le texte à l’octet {} n’est pas de l’UTF-8"),
    ("compression failed", "la compression a échoué"),
    ("compression failed: {}", "la compression a échoué\u{a0}: «\u{a0}{}\u{a0}»"),
    ("Give one of the columns another target name.", "Donnez un autre nom à l’une des colonnes."),
    ("Change one of these settings under `file:`.", "Modifiez l’un de ces réglages sous `file:`."),
    ("key {} has an empty segment", "la clé {} a une étape vide"),
    ("key {} climbs out of the folder", "la clé {} remonte hors du dossier"),
    (
        "key {} is inside the folder that holds unfinished files",
        "la clé {} est dans le dossier des fichiers inachevés",
    ),
    (
        "key {} has a colon, a backslash or a NUL, which names of files do not have",
        "la clé {} a un deux-points, une barre oblique inverse ou un NUL, que les noms de fichiers n’ont pas",
    ),
    ("key {} is the name of a folder", "la clé {} est le nom d’un dossier"),
    ("upload {} of {} does not exist", "l’envoi {} de {} n’existe pas"),
    (
        "upload {} of {} has other parts than were recorded",
        "l’envoi {} de {} a d’autres morceaux que ceux notés",
    ),
    (
        "upload {} of {} lost bytes before it was completed",
        "l’envoi {} de {} a perdu des octets avant d’être achevé",
    ),
    (
        "upload {} of {} is still open after it was aborted",
        "l’envoi {} de {} est encore ouvert après son abandon",
    ),
    ("{} is there already", "{} est déjà là"),
    ("{} has been changed by another writer", "{} a été modifié par un autre"),
    ("{} has been removed by another writer", "{} a été retiré par un autre"),
    ("parts of {} would pass the limit of {}", "les morceaux de {} dépasseraient la limite de {}"),
    ("files of {} would pass the limit of {}", "les fichiers de {} dépasseraient la limite de {}"),
    ("bytes of {} would pass the limit of {}", "les octets de {} dépasseraient la limite de {}"),
    (
        "nondeterministic_output: {} was staged with SHA-256 {} and is now {}",
        "nondeterministic_output\u{a0}: {} a été préparé avec le SHA-256 {} et est maintenant {}",
    ),
    (
        "{} is not what was staged: {} bytes instead of {}",
        "{} n’est pas ce qui a été préparé\u{a0}: {} octets au lieu de {}",
    ),
    (
        "{} is not what was staged: CRC-64/NVME {} instead of {}",
        "{} n’est pas ce qui a été préparé\u{a0}: CRC-64/NVME {} au lieu de {}",
    ),
    (
        "a file could not be encrypted: {}",
        "un fichier n’a pas pu être chiffré\u{a0}: «\u{a0}{}\u{a0}»",
    ),
    (
        "opening the folder stopped unexpectedly",
        "l’ouverture du dossier s’est arrêtée de façon inattendue",
    ),
    (
        "tidying the folder stopped unexpectedly",
        "le rangement du dossier s’est arrêté de façon inattendue",
    ),
    (
        "starting an upload stopped unexpectedly",
        "le début d’un envoi s’est arrêté de façon inattendue",
    ),
    (
        "writing a part stopped unexpectedly",
        "l’écriture d’un morceau s’est arrêtée de façon inattendue",
    ),
    (
        "uploading a part stopped unexpectedly",
        "l’envoi d’un morceau s’est arrêté de façon inattendue",
    ),
    (
        "publishing a file stopped unexpectedly",
        "la publication d’un fichier s’est arrêtée de façon inattendue",
    ),
    (
        "aborting an upload stopped unexpectedly",
        "l’abandon d’un envoi s’est arrêté de façon inattendue",
    ),
    (
        "looking at a file stopped unexpectedly",
        "l’examen d’un fichier s’est arrêté de façon inattendue",
    ),
    (
        "listing uploads stopped unexpectedly",
        "la liste des envois s’est arrêtée de façon inattendue",
    ),
    (
        "listing parts stopped unexpectedly",
        "la liste des morceaux s’est arrêtée de façon inattendue",
    ),
    (
        "packing a file stopped unexpectedly",
        "la compression d’un fichier s’est arrêtée de façon inattendue",
    ),
    (
        "finishing a file stopped unexpectedly",
        "la fin d’un fichier s’est arrêtée de façon inattendue",
    ),
    (
        "Choose a folder and a file name without `..`, empty segments, `:` and `\\`; the name of a segment may bring them in by a macro.",
        "Choisissez un dossier et un nom de fichier sans `..`, étapes vides, `:` ni `\\`\u{a0}; le nom d’un segment peut les amener par une macro.",
    ),
    (
        "The same snapshot gave other bytes: report it with the version and the project file.",
        "Le même instantané a donné d’autres octets\u{a0}: signalez-le avec la version et le fichier du projet.",
    ),
    (
        "the bucket is in another region than the account says",
        "le bucket est dans une autre région que ne dit le compte",
    ),
    (
        "the name leads to an address that no service can be at",
        "le nom mène à une adresse où aucun service ne peut être",
    ),
    ("{} holds a damaged certificate", "{} contient un certificat abîmé"),
    ("{} holds no certificate", "{} ne contient pas de certificat"),
    ("{} cannot be used", "{} n’est pas utilisable"),
    ("the role {} was not given", "le rôle {} n’a pas été donné"),
    ("the account has no role", "le compte n’a pas de rôle"),
    ("the answer of STS holds no credentials", "la réponse de STS ne contient pas d’identifiants"),
    ("STS gave credentials without an end", "STS a donné des identifiants sans fin"),
    (
        "an unfinished upload may be left: a request was sent twice, and uploads cannot be listed",
        "un envoi inachevé est peut-être resté\u{a0}: une requête a été envoyée deux fois, et les envois ne peuvent être listés",
    ),
    (
        "an unfinished upload is left, whose opening was answered too late",
        "un envoi inachevé est resté, dont l’ouverture a eu sa réponse trop tard",
    ),
    (
        "the bucket's policy demands encryption: set encryption: {}",
        "la politique du bucket exige un chiffrement\u{a0}: donnez `encryption: {}`",
    ),
    (
        "the service refused the request for another reason",
        "le service a refusé la requête pour une autre raison",
    ),
    ("the service does not know this request", "le service ne connaît pas cette requête"),
    ("the service failed to answer", "le service n’a pas su répondre"),
    (
        "{} is of no use: its part for signing was revoked",
        "{} ne sert à rien\u{a0}: sa partie pour signer a été révoquée",
    ),
    (
        "{} is of no use: its part for signing expired on {}",
        "{} ne sert à rien\u{a0}: sa partie pour signer a expiré le {}",
    ),
    (
        "Add `pgp_sign_passphrase: ${}` and set the variable.",
        "Ajoutez `pgp_sign_passphrase: ${}` et donnez la variable.",
    ),
    (
        "Export the private key with `gpg --export-secret-keys --armor KEY`.",
        "Exportez la clé privée par `gpg --export-secret-keys --armor CLÉ`.",
    ),
    (
        "the seal of run {} in {} cannot be {}",
        "le sceau de l’exécution {1} dans {2} n’est pas utilisable",
    ),
    (
        "Nothing of the run is lost; make the folder usable and run again.",
        "Rien de l’exécution n’est perdu\u{a0}; rendez le dossier utilisable et relancez.",
    ),
    // Folders
    ("failed to create {}", "{} n’a pas pu être créé"),
    ("failed to open {}", "{} n’a pas pu être ouvert"),
    ("failed to look at {}", "{} n’a pas pu être examiné"),
    ("failed to publish {}", "{} n’a pas pu être publié"),
    ("failed to read {}", "{} n’a pas pu être lu"),
    ("failed to remove {}", "{} n’a pas pu être retiré"),
    ("failed to sync {}", "{} n’a pas pu être mis en sûreté sur le disque"),
    ("failed to list {}", "{} n’a pas pu être listé"),
    ("failed to lock {}", "{} n’a pas pu être verrouillé"),
    ("failed to find {}", "{} est introuvable"),
    ("failed to find the current folder", "le dossier courant est introuvable"),
    // Whoever decided, and what was skipped
    ("rejected by {}: {}", "rejetée par {}\u{a0}: «\u{a0}{}\u{a0}»"),
    ("{} slots from {} to {}: {}", "{} créneaux de {} à {}\u{a0}: {}"),
    ("a committed run has no record", "une exécution décidée n’a pas de trace"),
    (
        "the segments could not be evaluated together",
        "les segments n’ont pas pu être évalués ensemble",
    ),
    (
        "a run is not finished, but its destination is not in the project any more",
        "une exécution n’est pas finie, mais sa destination n’est plus dans le projet",
    ),
    (
        "some recipients are not taken by the mail server",
        "certains destinataires sont refusés par le serveur de courriel",
    ),
    ("{} of {} members were left out, {} %", "{} membres sur {} ont été écartés, {}\u{a0}%"),
    // Rules in files of their own
    (
        "rule of segment `{}` ({}, line {}, column {}): {}",
        "règle du segment `{}` ({}, ligne {}, colonne {})\u{a0}: {}",
    ),
    ("rule of consent to `{}`: {}", "règle du consentement à `{}`\u{a0}: {}"),
    (
        "rule of consent to `{}` ({}, line {}, column {}): {}",
        "règle du consentement à `{}` ({}, ligne {}, colonne {})\u{a0}: {}",
    ),
    (
        "expression of column `{}` ({}, line {}, column {}): {}",
        "expression de la colonne `{}` ({}, ligne {}, colonne {})\u{a0}: {}",
    ),
];
