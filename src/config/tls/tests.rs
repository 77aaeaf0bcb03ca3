use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ServerConnection};

use super::*;

struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A leaf certificate and its key, as PEM.
struct Leaf {
    chain: String,
    key: String,
}

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "test authority");
    Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
}

impl Authority {
    /// The chain ends with the authority's own certificate, as Elasticsearch's automatic configuration sends it.
    fn issue(&self, name: &str, until: i32) -> Leaf {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = date_time_ymd(until, 1, 1);
        let leaf = params.signed_by(&key, &self.0).unwrap();
        Leaf { chain: format!("{}{}", leaf.pem(), self.0.pem()), key: key.serialize_pem() }
    }

    fn certificates(&self) -> Vec<Certificate> {
        certificates(self.0.pem().as_bytes()).unwrap()
    }

    fn fingerprint(&self) -> Fingerprint {
        let digest = ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, self.0.der());
        let text: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Fingerprint::parse(&text).unwrap()
    }
}

impl Leaf {
    fn pair(&self) -> Pair {
        let chain = certificates(self.chain.as_bytes()).unwrap();
        Pair::new(chain, private_key(self.key.as_bytes()).unwrap()).unwrap()
    }
}

#[test]
fn trust_is_the_same_only_where_the_same_nodes_are_believed() {
    let (one, other) = (authority(), authority());
    let all = [
        trust(&[], Verification::Full, None),
        trust(&[], Verification::Certificate, None),
        trust(&[], Verification::Full, Some(one.fingerprint())),
        trust(&[], Verification::Full, Some(other.fingerprint())),
        trust(&one.certificates(), Verification::Full, None),
        trust(&other.certificates(), Verification::Full, None),
    ];
    assert_eq!(trust(&one.certificates(), Verification::Full, None), all[4]);
    for (index, left) in all.iter().enumerate() {
        assert!(all[..index].iter().all(|right| left != right), "{index}");
    }
}

/// Whether a handshake in memory succeeds.
fn connects(client: rustls::ClientConfig, leaf: &Leaf, name: &str) -> bool {
    let server = server_config(leaf.pair(), None).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    for _ in 0..10 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server.read_tls(&mut bytes.as_slice()).unwrap();
        if server.process_new_packets().is_err() {
            return false;
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client.read_tls(&mut bytes.as_slice()).unwrap();
        if client.process_new_packets().is_err() {
            return false;
        }
    }
    !client.is_handshaking() && !server.is_handshaking() && client.alpn_protocol() == Some(b"http/1.1")
}

#[test]
fn nodes_are_verified_as_the_mode_says() {
    use Verification::{Certificate, Full, None as Nothing};
    let (ours, theirs) = (authority(), authority());
    let leaf = ours.issue("es.test", 4000);
    let expired = ours.issue("es.test", 2001);
    #[rustfmt::skip] // a table: authority, mode, fingerprint, certificate, name asked for, expected
    let cases = [
        (Some(&ours), Full, None, &leaf, "es.test", true),
        (Some(&ours), Full, None, &leaf, "other.test", false),
        (Some(&ours), Full, None, &expired, "es.test", false),
        (Some(&theirs), Full, None, &leaf, "es.test", false),
        (Some(&ours), Certificate, None, &leaf, "other.test", true),
        (Some(&ours), Certificate, None, &expired, "es.test", false),
        (Some(&theirs), Certificate, None, &leaf, "es.test", false),
        (None, Nothing, None, &expired, "other.test", true),
        (None, Full, Some(ours.fingerprint()), &leaf, "es.test", true),
        (None, Full, Some(ours.fingerprint()), &leaf, "other.test", false),
        (None, Certificate, Some(ours.fingerprint()), &leaf, "other.test", true),
        (None, Full, Some(theirs.fingerprint()), &leaf, "es.test", false),
        (Some(&ours), Full, Some(theirs.fingerprint()), &leaf, "es.test", true),
        (None, Certificate, Some(ours.fingerprint()), &expired, "es.test", false),
    ];
    for (index, (authority, mode, fingerprint, leaf, name, expected)) in cases.into_iter().enumerate() {
        let authorities = authority.map(Authority::certificates).unwrap_or_default();
        let config = client_config(authorities, mode, fingerprint, None).unwrap();
        assert_eq!(connects(config, leaf, name), expected, "case {index}");
    }
}

#[test]
fn a_shown_certificate_with_the_fingerprint_does_not_vouch_for_another_chain() {
    let (ours, theirs) = (authority(), authority());
    let mut leaf = theirs.issue("es.test", 4000);
    leaf.chain.push_str(&ours.0.pem());
    let config = client_config(Vec::new(), Verification::Full, Some(ours.fingerprint()), None).unwrap();
    assert!(!connects(config, &leaf, "es.test"));
}

#[test]
fn a_key_must_belong_to_its_certificate() {
    let authority = authority();
    let (one, other) = (authority.issue("a.test", 4000), authority.issue("b.test", 4000));
    let chain = certificates(one.chain.as_bytes()).unwrap();
    let key = private_key(other.key.as_bytes()).unwrap();
    assert!(matches!(Pair::new(chain, key).unwrap_err(), TlsFault::Mismatch));
}

#[test]
fn pem_files_are_refused_with_a_reason() {
    let leaf = authority().issue("a.test", 4000);
    let cut = leaf.chain.replace("-----END CERTIFICATE-----", "");
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (pem, expected) in [
        ("", CertificateFault::NoCertificate),
        (leaf.key.as_str(), CertificateFault::NoCertificate),
        (garbage, CertificateFault::Certificate { position: 1 }),
        (cut.as_str(), CertificateFault::Pem),
    ] {
        assert_eq!(certificates(pem.as_bytes()).unwrap_err(), expected, "{pem}");
    }
    for (pem, expected) in [
        ("", CertificateFault::NoKey),
        (leaf.chain.as_str(), CertificateFault::NoKey),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            CertificateFault::EncryptedKey,
        ),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
            CertificateFault::EncryptedKey,
        ),
        ("-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n", CertificateFault::Pem),
    ] {
        assert_eq!(private_key(pem.as_bytes()).unwrap_err(), expected, "{pem}");
    }
    let odd = private_key(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    let chain = certificates(leaf.chain.as_bytes()).unwrap();
    assert!(matches!(Pair::new(chain, odd).unwrap_err(), TlsFault::UnusableKey));
}

#[test]
fn the_time_of_a_certificate_is_told_before_it_is_over() {
    let leaf = authority().issue("a.test", 2031);
    let certificate = &certificates(leaf.chain.as_bytes()).unwrap()[0];
    // 2031-01-01.
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1_924_992_000);
    let day = Duration::from_hours(24);
    assert_eq!(certificate.expiry_note(end - 31 * day), None);
    assert_eq!(certificate.expiry_note(end - 10 * day).unwrap(), "certificate [CN=a.test] expires in 10 days");
    assert_eq!(certificate.expiry_note(end + day).unwrap(), "certificate [CN=a.test] has expired");
    assert_eq!(certificate.expiry_note(SystemTime::UNIX_EPOCH).unwrap(), "certificate [CN=a.test] is not valid yet");
}
