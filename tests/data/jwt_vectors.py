"""Makes jwt_vectors.json: one token an algorithm, signed by OpenSSL (pip install cryptography).

    python3 tests/data/jwt_vectors.py > tests/data/jwt_vectors.json

The private keys are thrown away.
"""
import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
SECRET = hashlib.sha512(b"not a secret").digest()


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return text(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
curves = {"256": ("P-256", 32, ec.SECP256R1()), "384": ("P-384", 48, ec.SECP384R1()), "512": ("P-521", 66, ec.SECP521R1())}
ec_keys = {bits: ec.generate_private_key(curve) for bits, (_, _, curve) in curves.items()}
ed_key = ed25519.Ed25519PrivateKey.generate()


def sign(algorithm, message):
    family, bits = algorithm[:2], algorithm[2:]
    if family == "RS":
        return rsa_key.sign(message, padding.PKCS1v15(), HASHES[bits])
    if family == "PS":
        salt = HASHES[bits].digest_size
        return rsa_key.sign(message, padding.PSS(padding.MGF1(HASHES[bits]), salt), HASHES[bits])
    if family == "ES":
        r, s = decode_dss_signature(ec_keys[bits].sign(message, ec.ECDSA(HASHES[bits])))
        size = curves[bits][1]
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if family == "HS":
        return hmac.new(SECRET, message, "sha" + bits).digest()
    return ed_key.sign(message)


def token(algorithm):
    header = {"alg": algorithm, "typ": "JWT"}
    claims = {"iss": "https://issuer.example", "aud": "elasticsearch", "sub": "jane", "iat": 1600000000, "exp": 4102444800}
    message = ".".join(text(json.dumps(part).encode()) for part in (header, claims))
    return f"{message}.{text(sign(algorithm, message.encode()))}"


public = rsa_key.public_key().public_numbers()
jwks = [{"kty": "RSA", "n": number(public.n), "e": number(public.e)}]
for bits, (name, size, _) in curves.items():
    point = ec_keys[bits].public_key().public_numbers()
    jwks.append({"kty": "EC", "crv": name, "x": number(point.x, size), "y": number(point.y, size)})
raw = ed_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
jwks.append({"kty": "OKP", "crv": "Ed25519", "x": text(raw)})

names = [family + bits for family in ("RS", "PS", "ES", "HS") for bits in HASHES] + ["EdDSA"]
print(json.dumps({
    "jwks": {"keys": jwks},
    "hmac_jwks": {"keys": [{"kty": "oct", "k": text(SECRET)}]},
    "tokens": {name: token(name) for name in names},
}, indent=1))
