//! Which tokens are accepted.

use openidconnect::core::{
    CoreHmacKey, CoreIdToken, CoreProviderMetadata, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AuthUrl, EmptyAdditionalProviderMetadata, IssuerUrl, JsonWebKeySet, JsonWebKeySetUrl, ResponseTypes,
};
use serde_json::json;

use super::*;

// Proves: finding D6
#[test]
fn a_token_that_is_signed_with_the_client_s_secret_signs_in_nobody() {
    let url = |path: &str| format!("https://accounts.example{path}");
    let metadata = CoreProviderMetadata::new(
        IssuerUrl::new(url("")).expect("a URL"),
        AuthUrl::new(url("/authorize")).expect("a URL"),
        JsonWebKeySetUrl::new(url("/keys")).expect("a URL"),
        vec![ResponseTypes::new(vec![CoreResponseType::Code])],
        vec![CoreSubjectIdentifierType::Public],
        vec![Signing::HmacSha256],
        EmptyAdditionalProviderMetadata {},
    );
    let metadata = metadata.set_jwks(JsonWebKeySet::new(Vec::new()));
    let (id, secret) = (ClientId::new("larkspur".to_owned()), ClientSecret::new("a secret".to_owned()));
    let back = RedirectUrl::new(url("/back")).expect("a URL");
    let client: Client = CoreClient::from_provider_metadata(metadata, id, Some(secret)).set_redirect_uri(back);
    let claims: CoreIdTokenClaims = serde_json::from_value(json!({"iss": url(""), "aud": ["larkspur"],
        "sub": "mallory", "nonce": "n", "iat": 1_700_000_000, "exp": 4_102_444_800_u64}))
    .expect("claims");
    let key = CoreHmacKey::new("a secret");
    let token = CoreIdToken::new(claims, &key, Signing::HmacSha256, None, None).expect("signed");
    let nonce = Nonce::new("n".to_owned());
    assert!(token.claims(&client.id_token_verifier(), &nonce).is_ok(), "the library alone would take it");
    let refused = token.claims(&verifier(&client), &nonce).expect_err("refused");
    assert!(in_full(&refused).contains("HS256"), "{}", in_full(&refused));
}
