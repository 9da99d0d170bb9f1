//! Services, their answers and checks, keys that files are encrypted with, and files that are read and
//! written.

/// English and French, as in [`TOLD`](super::TOLD).
pub(super) const TOLD: &[(&str, &str)] = &[
    // Keys of recipients
    (
        "this is a private key, which only its owner may have: it was not kept",
        "ceci est une clé privée, que seul son propriétaire peut avoir\u{a0}: elle n’a pas été gardée",
    ),
    (
        "Ask the recipient for the public key (`gpg --export --armor KEY`). If the private key was shown to anybody, its owner has to revoke it and make a new one.",
        "Demandez au destinataire la clé publique (`gpg --export --armor CLÉ`). Si la clé privée a été montrée à quelqu’un, son propriétaire doit la révoquer et en faire une nouvelle.",
    ),
    (
        "Store it as a secret, and write `${}`; make a new key if this one was shown to anybody.",
        "Gardez-la comme secret, et écrivez `${}`\u{a0}; faites une nouvelle clé si celle-ci a été montrée à quelqu’un.",
    ),
    (
        "this is an SSH key, which cannot encrypt files",
        "ceci est une clé SSH, qui ne peut pas chiffrer de fichiers",
    ),
    (
        "Ask the recipient for an OpenPGP key: `gpg --export --armor KEY` prints it, and it begins with `-----BEGIN PGP PUBLIC KEY BLOCK-----`.",
        "Demandez au destinataire une clé OpenPGP\u{a0}: `gpg --export --armor CLÉ` l’affiche, et elle commence par `-----BEGIN PGP PUBLIC KEY BLOCK-----`.",
    ),
    ("this is not an OpenPGP public key", "ceci n’est pas une clé publique OpenPGP"),
    (
        "Write the whole of what `gpg --export --armor KEY` prints: it begins with `-----BEGIN PGP PUBLIC KEY BLOCK-----`.",
        "Collez tout ce que `gpg --export --armor CLÉ` affiche\u{a0}: cela commence par `-----BEGIN PGP PUBLIC KEY BLOCK-----`.",
    ),
    (
        "Hand over the whole of what `gpg --export --armor KEY` prints.",
        "Donnez tout ce que `gpg --export --armor CLÉ` affiche.",
    ),
    (
        "`pgp` names a file of the server, which is not for stored objects",
        "`pgp` nomme un fichier du serveur, ce qui n’est pas pour les objets gardés ici",
    ),
    ("Write the armoured public keys themselves.", "Collez les clés publiques elles-mêmes."),
    ("{} is no OpenPGP key", "{} n’est pas une clé OpenPGP"),
    ("{} is a damaged OpenPGP key", "{} est une clé OpenPGP abîmée"),
    ("{} is no OpenPGP key but: {}", "{} n’est pas une clé OpenPGP, mais «\u{a0}{}\u{a0}»"),
    (
        "{} is a private key, which only its owner may have",
        "{} est une clé privée, que seul son propriétaire peut avoir",
    ),
    (
        "Ask the recipient for the public key (`gpg --export --armor`), and tell them that the private one was shared.",
        "Demandez au destinataire la clé publique (`gpg --export --armor`), et dites-lui que la privée a été partagée.",
    ),
    (
        "{} holds several keys, and it cannot be told whom of them the files are for",
        "{} contient plusieurs clés, et rien ne dit à qui d’entre elles les fichiers sont destinés",
    ),
    (
        "Export each key on its own, and name those that are meant.",
        "Exportez chaque clé à part, et nommez celles qui sont visées.",
    ),
    (
        "{} is a key of a form that is no longer safe",
        "{} est une clé d’une forme qui n’est plus sûre",
    ),
    ("{} was revoked by its owner", "{} a été révoquée par son propriétaire"),
    ("{} is valid only from {}", "{} n’est valable qu’à partir du {}"),
    ("Check the clock of this machine.", "Vérifiez l’horloge de cette machine."),
    ("{} expired on {}", "{} a expiré le {}"),
    ("{} expires on {}", "{} expire le {}"),
    (
        "Runs fail from then on: ask its owner for a new one in time.",
        "Les exécutions échouent dès lors\u{a0}: demandez-en une nouvelle à temps à son propriétaire.",
    ),
    ("Ask its owner for one that is in use.", "Demandez à son propriétaire celle qu’il utilise."),
    (
        "{} bears no signature of its owner that can be verified",
        "{} ne porte aucune signature de son propriétaire qui se vérifie",
    ),
    (
        "Ask its owner to export it again, or for a key of a usual kind: RSA, Curve25519, a NIST curve.",
        "Demandez à son propriétaire de l’exporter à nouveau, ou une clé d’une sorte courante\u{a0}: RSA, Curve25519, une courbe du NIST.",
    ),
    (
        "{} cannot encrypt: it is for signing or for certifying",
        "{} ne peut pas chiffrer\u{a0}: elle sert à signer ou à certifier",
    ),
    (
        "Ask its owner for a key with a part for encryption.",
        "Demandez à son propriétaire une clé avec une partie pour chiffrer.",
    ),
    (
        "{} cannot sign: it is for other uses",
        "{} ne peut pas signer\u{a0}: elle sert à autre chose",
    ),
    ("Name a key with a part for signing.", "Nommez une clé avec une partie pour signer."),
    (
        "{} is of no use: its part for encryption was revoked",
        "{} ne sert à rien\u{a0}: sa partie pour chiffrer a été révoquée",
    ),
    (
        "{} is of no use: its part for encryption expired on {}",
        "{} ne sert à rien\u{a0}: sa partie pour chiffrer a expiré le {}",
    ),
    ("{} is too weak: RSA of {} bits", "{} est trop faible\u{a0}: RSA de {} bits"),
    (
        "Ask its owner for an elliptic key, or RSA of at least 2048 bits.",
        "Demandez à son propriétaire une clé elliptique, ou RSA d’au moins 2048 bits.",
    ),
    (
        "{} is of a kind that is not supported ({})",
        "{} est d’une sorte qui n’est pas prise en charge ({})",
    ),
    (
        "Ask its owner for RSA, Curve25519, Curve448 or a NIST curve.",
        "Demandez à son propriétaire RSA, Curve25519, Curve448 ou une courbe du NIST.",
    ),
    ("{} is locked with a passphrase", "{} est verrouillée par une phrase secrète"),
    ("{} does not open with the passphrase", "{} ne s’ouvre pas avec la phrase secrète"),
    ("Check `pgp_sign_passphrase`.", "Vérifiez `pgp_sign_passphrase`."),
    ("{} is a public key, which cannot sign", "{} est une clé publique, qui ne peut pas signer"),
    ("the files cannot be encrypted: {}", "les fichiers ne peuvent être chiffrés\u{a0}: {}"),
    ("the key cannot be read: {}", "la clé ne peut être lue\u{a0}: {}"),
    ("no such file", "ce fichier n’existe pas"),
    (
        "The path is relative to the project file; the key is ASCII-armoured (`gpg --export --armor`) or in Base64.",
        "Le chemin est relatif au fichier du projet\u{a0}; la clé est en ASCII (`gpg --export --armor`) ou en Base64.",
    ),
    ("the files are encrypted for nobody", "les fichiers ne sont chiffrés pour personne"),
    // What was asked of a service
    ("failed to sign in for {}: {}", "l’authentification pour {} a échoué\u{a0}: {}"),
    ("failed to reach {}: {}", "{} n’a pas pu être joint\u{a0}: {}"),
    ("failed to find the region of {}: {}", "la région de {} n’a pas pu être trouvée\u{a0}: {}"),
    ("failed to start an upload to {}: {}", "un envoi vers {} n’a pas pu commencer\u{a0}: {}"),
    ("failed to upload a part of {}: {}", "un morceau de {} n’a pas pu être envoyé\u{a0}: {}"),
    ("failed to complete the upload of {}: {}", "l’envoi de {} n’a pas pu être achevé\u{a0}: {}"),
    ("failed to abort the upload of {}: {}", "l’envoi de {} n’a pas pu être abandonné\u{a0}: {}"),
    ("failed to delete {}: {}", "{} n’a pas pu être supprimé\u{a0}: {}"),
    ("failed to look at {}: {}", "{} n’a pas pu être examiné\u{a0}: {}"),
    ("failed to read {}: {}", "{} n’a pas pu être lu\u{a0}: {}"),
    ("failed to restore {}: {}", "{} n’a pas pu être restauré\u{a0}: {}"),
    ("failed to list the parts of {}: {}", "les morceaux de {} n’ont pas pu être listés\u{a0}: {}"),
    ("failed to list the uploads of {}: {}", "les envois de {} n’ont pas pu être listés\u{a0}: {}"),
    // What came of it
    (
        "the secret access key does not match the access key id",
        "la clé secrète ne correspond pas à l’identifiant de clé",
    ),
    (
        "Check the secret access key: it belongs to another key id, or has a stray character.",
        "Vérifiez la clé secrète\u{a0}: elle appartient à un autre identifiant, ou contient un caractère de trop.",
    ),
    (
        "the service does not know the access key id",
        "le service ne connaît pas l’identifiant de clé",
    ),
    (
        "Check the access key id: is it active, and of the service at {}?",
        "Vérifiez l’identifiant de clé\u{a0}: est-il actif, et du service à {}\u{a0}?",
    ),
    ("the credentials have expired", "les identifiants ont expiré"),
    (
        "Fetch new temporary credentials and run again.",
        "Prenez de nouveaux identifiants temporaires et relancez.",
    ),
    (
        "the session token does not belong to the access key id",
        "le jeton de session n’est pas de cet identifiant de clé",
    ),
    (
        "Fetch the temporary key anew: id, secret and session_token belong together.",
        "Reprenez la clé temporaire\u{a0}: identifiant, secret et session_token vont ensemble.",
    ),
    (
        "no credentials were found on this machine",
        "aucun identifiant n’a été trouvé sur cette machine",
    ),
    (
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in (`aws sso login`), or name the `profile` of the account.",
        "Donnez AWS_ACCESS_KEY_ID et AWS_SECRET_ACCESS_KEY, ou connectez-vous (`aws sso login`), ou nommez le `profile` du compte.",
    ),
    (
        "there is no single sign-on session on this machine, or it has ended",
        "il n’y a pas de session d’authentification unique sur cette machine, ou elle est finie",
    ),
    (
        "Sign in, for example with `aws sso login` for the `profile` of the account, and run again.",
        "Connectez-vous, par exemple avec `aws sso login` pour le `profile` du compte, et relancez.",
    ),
    (
        "the shared files of AWS on this machine have no such profile",
        "les fichiers partagés d’AWS sur cette machine n’ont pas ce profil",
    ),
    (
        "Add the profile {} (`aws configure --profile {}`), or name another as `profile` of the account.",
        "Ajoutez le profil {} (`aws configure --profile {}`), ou nommez-en un autre comme `profile` du compte.",
    ),
    (
        "the shared files of AWS on this machine cannot be used",
        "les fichiers partagés d’AWS sur cette machine ne sont pas utilisables",
    ),
    (
        "Correct ~/.aws/config and ~/.aws/credentials: `aws configure list` reads the same.",
        "Corrigez ~/.aws/config et ~/.aws/credentials\u{a0}: `aws configure list` lit les mêmes.",
    ),
    (
        "the credential_process of the profile gave no credentials",
        "le credential_process du profil n’a pas donné d’identifiants",
    ),
    (
        "Run the command of the profile by hand: it has to print credentials as JSON and end with 0.",
        "Lancez la commande du profil à la main\u{a0}: elle doit afficher des identifiants en JSON et finir par 0.",
    ),
    (
        "the metadata service of this machine gave no credentials",
        "le service de métadonnées de cette machine n’a pas donné d’identifiants",
    ),
    (
        "Check the role of the pod, task or instance, and AWS_CONTAINER_AUTHORIZATION_TOKEN or its file where one is set.",
        "Vérifiez le rôle du pod, de la tâche ou de l’instance, et AWS_CONTAINER_AUTHORIZATION_TOKEN ou son fichier s’il y en a.",
    ),
    (
        "the role that this machine names was not given",
        "le rôle que cette machine nomme n’a pas été donné",
    ),
    (
        "Check the trust policy of the role: it must trust the source_profile, or the issuer of the token in AWS_WEB_IDENTITY_TOKEN_FILE.",
        "Vérifiez la politique de confiance du rôle\u{a0}: elle doit faire confiance au source_profile, ou à l’émetteur du jeton dans AWS_WEB_IDENTITY_TOKEN_FILE.",
    ),
    ("the role was not given", "le rôle n’a pas été donné"),
    (
        "Check the trust policy of {}: it must allow sts:AssumeRole to the one who signs, under the external id; `segue policy` prints it.",
        "Vérifiez la politique de confiance de {}\u{a0}: elle doit permettre sts:AssumeRole à qui signe, avec l’identifiant externe\u{a0}; `segue policy` l’affiche.",
    ),
    ("the KMS key cannot be used", "la clé KMS n’est pas utilisable"),
    (
        "Enable the KMS key, or correct kms_key_id of the destination.",
        "Activez la clé KMS, ou corrigez kms_key_id de la destination.",
    ),
    (
        "the service ignores the encryption that is asked for",
        "le service ne tient pas compte du chiffrement demandé",
    ),
    (
        "Remove encryption.sse of the destination, and have the service or the disk encrypt; or use a service that knows it.",
        "Retirez encryption.sse de la destination, et faites chiffrer par le service ou le disque\u{a0}; ou prenez un service qui le connaît.",
    ),
    (
        "the service fails where a KMS key is asked for, and not without one",
        "le service échoue quand une clé KMS est demandée, et pas sans elle",
    ),
    (
        "Choose SSE-S3 (`sse: AES256`) or no encryption for the destination if the service has no KMS; otherwise have whoever runs it look at its KMS.",
        "Choisissez SSE-S3 (`sse: AES256`) ou aucun chiffrement pour la destination si le service n’a pas de KMS\u{a0}; sinon, faites voir son KMS à qui le fait tourner.",
    ),
    (
        "the bucket belongs to another account than expected_bucket_owner says",
        "le bucket appartient à un autre compte que ne dit expected_bucket_owner",
    ),
    (
        "Find out whose bucket {} is before anything is sent; then correct bucket or expected_bucket_owner.",
        "Sachez à qui est le bucket {} avant tout envoi\u{a0}; corrigez ensuite bucket ou expected_bucket_owner.",
    ),
    ("access denied", "accès refusé"),
    (
        "A policy forbids {} on {} in this way: `segue check` of the destination finds out whether it demands encryption.",
        "Une politique interdit {} sur {} de cette façon\u{a0}: la vérification de la destination dit si elle exige un chiffrement.",
    ),
    (
        "Grant {} on {} to who signs; check the key's policy too.",
        "Accordez {} sur {} à qui signe\u{a0}; vérifiez aussi la politique de la clé.",
    ),
    (
        "Grant {} on {} to who signs; check the bucket's policy and owner too.",
        "Accordez {} sur {} à qui signe\u{a0}; vérifiez aussi la politique et le propriétaire du bucket.",
    ),
    ("Grant {} on {}, and s3:ListBucket on {}.", "Accordez {} sur {}, et s3:ListBucket sur {}."),
    (
        "Grant {} on {} to the account's key; check the bucket's policy and owner too.",
        "Accordez {} sur {} à la clé du compte\u{a0}; vérifiez aussi la politique et le propriétaire du bucket.",
    ),
    ("the bucket does not exist", "le bucket n’existe pas"),
    (
        "Create the bucket {}, or correct bucket (and endpoint_url) of the destination.",
        "Créez le bucket {}, ou corrigez bucket (et endpoint_url) de la destination.",
    ),
    ("the bucket is in another region", "le bucket est dans une autre région"),
    ("Set region: {} in the account.", "Donnez region\u{a0}: {} dans le compte."),
    (
        "No redirect is followed: set region of the account to that of the bucket, or endpoint_url to the address of its service.",
        "Aucune redirection n’est suivie\u{a0}: donnez au compte la region du bucket, ou en endpoint_url l’adresse de son service.",
    ),
    (
        "the clock of this machine and that of the service differ too much",
        "l’horloge de cette machine et celle du service diffèrent trop",
    ),
    (
        "Set the clock of this machine (NTP): signatures hold for 15 minutes.",
        "Réglez l’horloge de cette machine (NTP)\u{a0}: les signatures valent 15 minutes.",
    ),
    ("the upload does not exist", "l’envoi n’existe pas"),
    (
        "the object has been changed by another writer",
        "l’objet a été modifié par quelqu’un d’autre",
    ),
    (
        "Find out who else writes this name, or give the file name a time.",
        "Trouvez qui d’autre écrit ce nom, ou mettez une date dans le nom de fichier.",
    ),
    (
        "another write of the same object is in flight",
        "une autre écriture du même objet est en cours",
    ),
    ("the bytes changed on the way", "les octets ont changé en route"),
    (
        "Check proxies between this machine and the service: nothing damaged is published.",
        "Vérifiez les proxys entre cette machine et le service\u{a0}: rien d’abîmé n’est publié.",
    ),
    ("the service refused the request", "le service a refusé la requête"),
    ("the service does not know this operation", "le service ne connaît pas cette opération"),
    ("the service asks for fewer requests", "le service demande moins de requêtes"),
    ("the service failed", "le service a échoué"),
    ("no answer in time", "pas de réponse à temps"),
    ("the connection ended before the answer", "la connexion a fini avant la réponse"),
    ("the request could not be made", "la requête n’a pas pu être faite"),
    (
        "Run again later: the run continues as the same run.",
        "Relancez plus tard\u{a0}: c’est la même exécution qui continue.",
    ),
    (
        "Check again in a while; if it stays so, ask whoever runs the service.",
        "Vérifiez à nouveau dans un moment\u{a0}; si cela dure, demandez à qui fait tourner le service.",
    ),
    (
        "what answers at the endpoint does not speak S3",
        "ce qui répond à cette adresse ne parle pas S3",
    ),
    (
        "Check endpoint_url {}: it must be the S3 address of the service, not its web page.",
        "Vérifiez endpoint_url {}\u{a0}: c’est l’adresse S3 du service qu’il faut, pas sa page web.",
    ),
    (
        "the host name of the endpoint does not resolve",
        "le nom d’hôte de l’adresse est introuvable",
    ),
    (
        "Check the host name in endpoint_url {}, and with addressing: path if the bucket is part of it.",
        "Vérifiez le nom d’hôte dans endpoint_url {}, et essayez addressing\u{a0}: path si le bucket en fait partie.",
    ),
    (
        "the host name of the endpoint leads to an address that no service can be at",
        "le nom d’hôte mène à une adresse où aucun service ne peut être",
    ),
    (
        "Check endpoint_url {} and who answers for its name: at link-local addresses machines give away their own credentials.",
        "Vérifiez endpoint_url {} et qui répond pour ce nom\u{a0}: aux adresses de lien local, les machines livrent leurs propres identifiants.",
    ),
    ("nobody listens at the endpoint", "personne n’écoute à cette adresse"),
    (
        "Check that the service runs at {} and that the port is right.",
        "Vérifiez que le service tourne à {} et que le port est le bon.",
    ),
    (
        "no trusted TLS connection to the endpoint",
        "pas de connexion TLS de confiance vers cette adresse",
    ),
    (
        "Check that {} speaks https and that this machine trusts its certificate; ca_file of the account names an authority of your own.",
        "Vérifiez que {} parle https et que cette machine se fie à son certificat\u{a0}; ca_file du compte nomme une autorité à vous.",
    ),
    (
        "Check that an S3 service runs at {}, and that no firewall swallows the answers.",
        "Vérifiez qu’un service S3 tourne à {}, et qu’aucun pare-feu n’avale les réponses.",
    ),
    (
        "Check that {} is an S3 service, and whether it wants https:// instead of http://.",
        "Vérifiez que {} est un service S3, et s’il ne veut pas https:// au lieu de http://.",
    ),
    // Checks
    ("{} cannot be delivered to: {} is missing", "{} ne peut être livrée\u{a0}: il manque {}"),
    ("{} cannot be delivered to: {} are missing", "{} ne peut être livrée\u{a0}: il manque {}"),
    (
        "Grant what `segue policy {}` prints, and check again.",
        "Accordez ce que dit la politique de `{}`, et vérifiez à nouveau.",
    ),
    (
        "Nothing at all is permitted: find out whether bucket {} is yours, and whether the key has a policy.",
        "Rien n’est permis du tout\u{a0}: voyez si le bucket {} est à vous, et si la clé a une politique.",
    ),
    (
        "The bucket's policy demands encryption: set encryption: {}.",
        "La politique du bucket exige un chiffrement\u{a0}: donnez encryption\u{a0}: {}.",
    ),
    (
        "writing is allowed, but not in this way: look for conditions in the policies",
        "écrire est permis, mais pas ainsi\u{a0}: cherchez des conditions dans les politiques",
    ),
    (
        "Writing is allowed, but not in this way: look for conditions in the policies.",
        "Écrire est permis, mais pas ainsi\u{a0}: cherchez des conditions dans les politiques.",
    ),
    ("it cannot be told whether {} has {}", "on ne peut dire si {} a {}"),
    (
        "Check again later; a run says more.",
        "Vérifiez plus tard\u{a0}; une exécution en dira plus.",
    ),
    (
        "without s3:ListBucket, S3 does not tell a missing object from a hidden one",
        "sans s3:ListBucket, S3 ne distingue pas un objet absent d’un objet caché",
    ),
    (
        "no request needs it, and IAM's simulator, which would know, does not answer to these credentials",
        "aucune requête n’en a besoin, et le simulateur d’IAM, qui le saurait, ne répond pas à ces identifiants",
    ),
    (
        "IAM's simulator says so of the policies of who signs: no request shows it",
        "le simulateur d’IAM le dit des politiques de qui signe\u{a0}: aucune requête ne le montre",
    ),
    ("the answer of the service is not one of S3", "la réponse du service n’est pas de S3"),
    (
        "not tried, as an earlier step was refused",
        "pas essayé, une étape précédente ayant été refusée",
    ),
    (
        "The bucket is in {}, and account `{}` says {}: set region: {}.",
        "Le bucket est en {}, et le compte `{}` dit {}\u{a0}: donnez region\u{a0}: {}.",
    ),
    (
        "New objects are locked for {} ({}): what is delivered cannot be deleted before, and a static name gets a new version each time.",
        "Les nouveaux objets sont verrouillés pour {} ({})\u{a0}: ce qui est livré ne peut être supprimé avant, et un nom fixe reçoit chaque fois une nouvelle version.",
    ),
    (
        "The service does not compare the owner of the bucket: expected_bucket_owner has no effect there.",
        "Le service ne compare pas le propriétaire du bucket\u{a0}: expected_bucket_owner n’y a pas d’effet.",
    ),
    (
        "{} of an earlier check was still open and is aborted now.",
        "{} d’une vérification antérieure était encore ouvert, et est abandonné.",
    ),
    (
        "The clock of this machine is {} behind that of the service: set it (NTP). Requests are signed by the service's time, but schedules and names go by this machine's.",
        "L’horloge de cette machine a {} de retard sur celle du service\u{a0}: réglez-la (NTP). Les requêtes sont signées à l’heure du service, mais calendriers et noms suivent celle de cette machine.",
    ),
    (
        "The clock of this machine is {} ahead of that of the service: set it (NTP). Requests are signed by the service's time, but schedules and names go by this machine's.",
        "L’horloge de cette machine a {} d’avance sur celle du service\u{a0}: réglez-la (NTP). Les requêtes sont signées à l’heure du service, mais calendriers et noms suivent celle de cette machine.",
    ),
    (
        "The role is given without the external id too, so everybody whom it trusts could be made to use it: add the condition that `segue policy` prints.",
        "Le rôle est donné aussi sans l’identifiant externe, si bien que tous ceux à qui il se fie pourraient être amenés à s’en servir\u{a0}: ajoutez la condition que `segue policy` affiche.",
    ),
    (
        "An unfinished upload is left at {} (id {}), which nobody sees: a check in a quarter of an hour aborts it, and so does a lifecycle rule.",
        "Un envoi inachevé reste à {} (id {}), que personne ne voit\u{a0}: une vérification dans un quart d’heure l’abandonne, de même qu’une règle de cycle de vie.",
    ),
    ("An object is left at {}: delete it.", "Un objet reste à {}\u{a0}: supprimez-le."),
    ("the check was stopped", "la vérification a été arrêtée"),
    // Files and disks
    (
        "Give this user the right to write {}, or deliver to another folder.",
        "Donnez à cet utilisateur le droit d’écrire {}, ou livrez dans un autre dossier.",
    ),
    (
        "Give the user that runs Segue the right to write to {}.",
        "Donnez à l’utilisateur qui fait tourner Segue le droit d’écrire dans {}.",
    ),
    (
        "Free space on the disk of {}, then run again: nothing of this run is visible.",
        "Faites de la place sur le disque de {}, puis relancez\u{a0}: rien de cette exécution n’est visible.",
    ),
    (
        "A part of {} exists and is not what its name asks for; choose another name.",
        "Une partie de {} existe et n’est pas ce que son nom demande\u{a0}; choisissez un autre nom.",
    ),
    (
        "Check ca_file of the account: it holds the certificates of your authority, in PEM form.",
        "Vérifiez ca_file du compte\u{a0}: il contient les certificats de votre autorité, en PEM.",
    ),
    ("Raise rows_per_file or bytes_per_file.", "Augmentez rows_per_file ou bytes_per_file."),
    (
        "Set rows_per_file or bytes_per_file, so that more files share the rows.",
        "Donnez rows_per_file ou bytes_per_file, pour que plus de fichiers se partagent les lignes.",
    ),
    (
        "Keep the object as evidence and check the path to the store.",
        "Gardez l’objet comme preuve et vérifiez le chemin jusqu’au service.",
    ),
    // What is read
    ("the file is not a whole Parquet file", "le fichier n’est pas un fichier Parquet entier"),
    (
        "Free space on the disk of {} and run again, or name a state folder on another disk with --state-dir.",
        "Faites de la place sur le disque de {} et relancez, ou nommez un dossier d’état sur un autre disque avec --state-dir.",
    ),
    ("a division by zero", "une division par zéro"),
    ("a value could not be converted", "une valeur n’a pas pu être convertie"),
    (
        "Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.",
        "Servez-vous de `TRY_CAST`, `nullif(diviseur, 0)` ou `CASE`, pour que de telles valeurs donnent null.",
    ),
    ("failed to count segment `{}`", "le segment `{}` n’a pas pu être compté"),
    ("failed to count segment `{}`: {}", "le segment `{}` n’a pas pu être compté\u{a0}: {}"),
    ("a value is not of type {}", "une valeur n’est pas de type {}"),
    (
        "Correct the value, or declare another type for the field under `types:`; types that are not declared are guessed from the first records.",
        "Corrigez la valeur, ou déclarez un autre type pour le champ sous `types:`\u{a0}; les types qui ne sont pas déclarés sont devinés d’après les premiers enregistrements.",
    ),
    // What is written
    ("the text is larger than {} bytes", "le texte dépasse {} octets"),
    (
        "Shorten the value with an expression, or leave the column out.",
        "Raccourcissez la valeur par une expression, ou retirez la colonne.",
    ),
    ("the bytes are no valid UTF-8", "les octets ne sont pas de l’UTF-8"),
    (
        "Convert the bytes to text with an expression, as by `encode`.",
        "Convertissez les octets en texte par une expression, comme `encode`.",
    ),
    ("the text holds a NUL character", "le texte contient un caractère NUL"),
    (
        "Set `nul: strip` or `nul: keep` under `file:`.",
        "Donnez `nul: strip` ou `nul: keep` sous `file:`.",
    ),
    ("the value is no finite number", "la valeur n’est pas un nombre fini"),
    (
        "Set `non_finite: text` or `non_finite: null` under `file:`.",
        "Donnez `non_finite: text` ou `non_finite: null` sous `file:`.",
    ),
    (
        "the text needs quotes, and quoting is off",
        "le texte demande des guillemets, et ils sont désactivés",
    ),
    ("Set `quoting: minimal` under `file:`.", "Donnez `quoting: minimal` sous `file:`."),
    ("the date or time is out of range", "la date ou l’heure est hors des bornes"),
    (
        "Map the column through an expression that clears such values.",
        "Passez la colonne par une expression qui vide de telles valeurs.",
    ),
    ("the row would be an empty line", "l’enregistrement serait une ligne vide"),
    (
        "Set a text for missing values, such as `null: '\\N'`.",
        "Donnez un texte pour les valeurs absentes, comme `null: '\\N'`.",
    ),
    ("a map holds the same key twice", "une map contient deux fois la même clé"),
    (
        "Map single entries of the map in place of the whole.",
        "Choisissez des entrées de la map à la place du tout.",
    ),
    ("the text begins like a formula", "le texte commence comme une formule"),
    ("Give the column another target name.", "Donnez un autre nom à la colonne."),
    ("row {}, column {}: {}", "ligne {}, colonne {}\u{a0}: {}"),
    ("Map at least one column.", "Choisissez au moins une colonne."),
    ("Map fewer columns.", "Choisissez moins de colonnes."),
    (
        "column {} is of type {}, which has no form in a Parquet file",
        "la colonne {} est de type {}, qui n’a pas de forme dans un fichier Parquet",
    ),
    (
        "Cast the column to text with an expression.",
        "Convertissez la colonne en texte par une expression.",
    ),
    (
        "Set `unencodable: replace` under `file:` to write `?` in its place, or `encoding: utf-8`.",
        "Donnez `unencodable: replace` sous `file:` pour écrire `?` à sa place, ou `encoding: utf-8`.",
    ),
    // Alerts and servers
    (
        "the secret of the webhook is shorter than 16 characters",
        "le secret du webhook a moins de 16 caractères",
    ),
    (
        "Give it at least 16 characters: what `openssl rand -hex 32` prints, for example.",
        "Donnez-lui au moins 16 caractères\u{a0}: ce que `openssl rand -hex 32` affiche, par exemple.",
    ),
    ("`{}` is no address for mail", "`{}` n’est pas une adresse de courriel"),
    (
        "Write it as name@example.com, in ASCII letters.",
        "Écrivez-la sous la forme nom@example.com, en lettres ASCII.",
    ),
    (
        "the mail server is no smtps:// or smtp:// address",
        "le serveur de courriel n’est pas une adresse smtps:// ou smtp://",
    ),
    (
        "Write for example smtps://alerts@mail.example.com, and set SEGUE_SMTP_PASSWORD.",
        "Écrivez par exemple smtps://alerts@mail.example.com, et donnez SEGUE_SMTP_PASSWORD.",
    ),
    (
        "there is no password for {} at the mail server",
        "il n’y a pas de mot de passe pour {} au serveur de courriel",
    ),
    ("Set SEGUE_SMTP_PASSWORD.", "Donnez SEGUE_SMTP_PASSWORD."),
    // Runs
    (
        "Look at the segment with `segue count`. If the size is right, `segue release {}`; if not, `segue reject {} --reason …`.",
        "Regardez le segment avec `segue count`. Si la taille est bonne, `segue release {}`\u{a0}; sinon, `segue reject {} --reason …`.",
    ),
    (
        "the increment for {} cannot be made: that for {} was delivered already, and each builds on the one before",
        "l’incrément pour {} ne peut être fait\u{a0}: celui pour {} a déjà été livré, et chacun part du précédent",
    ),
    (
        "Run it for a later slot, or send everybody with `export: full`.",
        "Lancez-le pour un créneau plus tard, ou envoyez tout le monde avec `export: full`.",
    ),
    (
        "the upload of {} is lost, and so is the seal that it was encrypted with",
        "l’envoi de {} est perdu, et le sceau de son chiffrement aussi",
    ),
    (
        "Restore the folder `seals` of the state directory, and run again.",
        "Restaurez le dossier `seals` du répertoire d’état, et relancez.",
    ),
    // People
    ("{} profiles have this identity", "{} profils ont cette identité"),
    ("Name one of them by its primary identity.", "Nommez-en un par son identité principale."),
    ("no profile dataset has the namespace `{}`", "aucun jeu de profils n’a l’espace de noms `{}`"),
    ("no record has this identity", "aucun enregistrement n’a cette identité"),
    (
        "Identities are compared letter by letter; `segue who-got` tells what was sent of somebody who is gone.",
        "Les identités se comparent lettre à lettre\u{a0}; `segue who-got` dit ce qui a été envoyé de qui n’est plus là.",
    ),
    (
        "Identities are compared letter by letter; somebody who is gone is known by the primary identity that their profile had.",
        "Les identités se comparent lettre à lettre\u{a0}; qui n’est plus là se connaît par l’identité principale de son profil.",
    ),
    (
        "the records with this identity are no profile: it is connected to more than {} identities; most likely one of them, such as the address of a shop, belongs to many",
        "les enregistrements de cette identité ne sont pas un profil\u{a0}: elle est liée à plus de {} identités\u{a0}; sans doute l’une d’elles, comme l’adresse d’un magasin, est à plusieurs personnes",
    ),
    (
        "`segue count` tells how many are left out for each reason; docs/profiles.md says why they are.",
        "`segue count` dit combien sont écartés pour chaque raison\u{a0}; docs/profiles.md dit pourquoi.",
    ),
    // Answers of the API
    ("A body has at most 1 MiB.", "Un corps a au plus 1 Mio."),
    ("A password could not be looked at.", "Un mot de passe n’a pas pu être examiné."),
    ("Alerts are sent with this secret.", "Des alertes sont envoyées avec ce secret."),
    ("Change where alerts go first.", "Changez d’abord où vont les alertes."),
    ("Change or remove first what uses it.", "Modifiez ou retirez d’abord ce qui s’en sert."),
    ("Choose another name.", "Choisissez un autre nom."),
    ("It was changed since.", "Il a été modifié depuis."),
    ("Objects were changed since.", "Des objets ont été modifiés depuis."),
    ("Look at the differences again.", "Regardez à nouveau les différences."),
    (
        "Make room there, or give the server's user the right to write.",
        "Faites-y de la place, ou donnez à l’utilisateur du serveur le droit d’écrire.",
    ),
    (
        "The draft could not be kept in the state folder.",
        "Le brouillon n’a pas pu être gardé dans le dossier d’état.",
    ),
    ("Nobody waited for the answer any more.", "Plus personne n’attendait la réponse."),
    ("The dataset could not be looked at.", "Le jeu de données n’a pas pu être examiné."),
    ("The datasets could not be looked at.", "Les jeux de données n’ont pas pu être examinés."),
    ("The destination could not be checked.", "La destination n’a pas pu être vérifiée."),
    ("The profiles could not be asked.", "Les profils n’ont pas pu être interrogés."),
    (
        "The role does not allow values to be shown as they are.",
        "Le rôle ne permet pas de montrer les valeurs telles quelles.",
    ),
    ("The run waits for nobody.", "L’exécution n’attend personne."),
    ("The {} `{}` is used by {}.", "`{2}` est utilisé par {3}."),
    ("There is a user `{}` already.", "Il y a déjà un utilisateur `{}`."),
    (
        "There is no user of this name and password.",
        "Il n’y a pas d’utilisateur de ce nom et de ce mot de passe.",
    ),
    ("Too many streams are open.", "Trop de flux sont ouverts."),
    ("Start it without one to set it here.", "Démarrez-le sans pour le régler ici."),
    ("The definition has to name the account.", "La définition doit nommer le compte."),
    ("A token lives for a whole number of days.", "Un jeton vit un nombre entier de jours."),
];
