//! Certificates of one's own authority. Those here, and their key, were made for these tests and are
//! trusted by nobody else: `tls/ca.pem` signed `tls/server.pem` for 127.0.0.1.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::project::{BUCKET, Project, Text, lab};

pub(crate) const AUTHORITY: &str = include_str!("tls/ca.pem");
const SERVER: &[u8] = include_bytes!("tls/server.pem");
const KEY: &[u8] = include_bytes!("tls/server.key");

/// Puts TLS in front of a service. Returns where.
pub(crate) async fn encrypted(behind: SocketAddr) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificate = CertificateDer::from_pem_slice(SERVER).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate with its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(stream).await else { return };
                let Ok(mut server) = TcpStream::connect(behind).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_trusted_by_its_own_authority() {
    let lab = lab().await;
    let endpoint = format!("https://{}", encrypted(lab.address()).await);
    let plain = Text::default().yaml().replace("${LAB_ENDPOINT}", &endpoint);
    let trusting =
        plain.replace("    region: us-east-1\n", "    region: us-east-1\n    ca_file: ca.pem\n");

    let project = Project::new(&plain, None);
    keep("trust_unknown_authority", &project, &endpoint);

    let project = Project::new(&trusting, None);
    keep("trust_no_file", &project, &endpoint);
    project.write("ca.pem", "no certificate");
    keep("trust_no_certificate", &project, &endpoint);
    project.write("ca.pem", AUTHORITY);
    let said = project.segue(&["check", "partner"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.keys(BUCKET).len(), 2);
}

fn keep(name: &str, project: &Project, endpoint: &str) {
    let said = project.segue(&["check", "partner"]);
    assert_ne!(said.code, 0);
    let text = project.transcript(&said).replace(endpoint, "[endpoint]");
    insta::assert_snapshot!(name, text);
}
