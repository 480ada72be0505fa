//! The trusted certificate authorities.

use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParametersBuilder};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Roots that Mozilla no longer recommends for new certificates, so that `webpki-root-certs` lacks them: `DigiCert`'s
/// Global Root CA (SHA-256 `4348a0e9…c70161`) and `GlobalSign` Root CA, R1 (`ebd41040…331c99`). Vendors' servers may
/// still chain to them. From Debian's package ca-certificates; the fingerprints are those of knowledge.digicert.com and
/// support.globalsign.com.
const MORE: &[u8] = include_bytes!("more_roots.pem");

/// The roots that are trusted.
#[derive(Debug, Clone)]
pub(crate) enum Roots {
    Bundled,
    #[cfg(test)]
    These(Vec<CertificateDer<'static>>),
}

impl Roots {
    pub(crate) fn certificates(self) -> Vec<CertificateDer<'static>> {
        match self {
            Roots::Bundled => webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned().chain(more()).collect(),
            #[cfg(test)]
            Roots::These(roots) => roots,
        }
    }

    /// The same for mail. lettre's roots are those of `webpki-root-certs`, already parsed.
    pub(crate) fn for_mail(&self, builder: TlsParametersBuilder) -> TlsParametersBuilder {
        let (store, roots) = match self {
            Roots::Bundled => (CertificateStore::WebpkiRoots, more().collect()),
            #[cfg(test)]
            Roots::These(roots) => (CertificateStore::None, roots.clone()),
        };
        let roots: Vec<CertificateDer<'static>> = roots;
        let usable = roots.iter().filter_map(|root| Certificate::from_der(root.to_vec()).ok());
        usable.fold(builder.certificate_store(store), TlsParametersBuilder::add_root_certificate)
    }
}

fn more() -> impl Iterator<Item = CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(MORE).filter_map(Result::ok)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    // Proves: finding A11
    #[test]
    fn the_roots_that_vendors_may_still_chain_to_are_bundled() {
        let fingerprint = |root: &CertificateDer<'_>| {
            Sha256::digest(root).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let bundled: Vec<String> = Roots::Bundled.certificates().iter().map(fingerprint).collect();
        for (name, wanted) in [
            ("DigiCert Global Root CA", "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161"),
            ("DigiCert Global Root G2", "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f"),
            ("DigiCert Global Root G3", "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0"),
            ("GlobalSign Root CA (R1)", "ebd41040e4bb3ec742c9e381d31ef2a41a48b6685c96e7cef3c1df6cd4331c99"),
        ] {
            assert!(bundled.iter().any(|known| known == wanted), "{name}");
        }
    }
}
