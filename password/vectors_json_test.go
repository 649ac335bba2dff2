package password_test

// Python 3.11.2 (hashlib) and argon2-cffi 21.1.0, in the layout of Keycloak.
var keycloakVectors = []struct{ password, secret, credential string }{
	{plainWords, `{"value":"XF3K6AkAOsw0nls9oNxYxU9ZGHKGLzN97htfkCutmpagCMkCI9RPyzvMRPXMrgu/d3G/1Me6esftkW8Omn+ZOA==","salt":"AAECAwQFBgcICQoLDA0ODw==","additionalParameters":{}}`, `{"hashIterations":2750,"algorithm":"pbkdf2-sha256","additionalParameters":{}}`},
	{plainWords, `{"value":"rqVZfqGT36Z2fKITmwixSkvs2ATEE0NrtIDOjzp7dwxMNkqTQ5rdH1tIXYLvXGPyNN5xRQVydyhLZi+IF1vFEw==","salt":"AAECAwQFBgcICQoLDA0ODw==","additionalParameters":{}}`, `{"hashIterations":2750,"algorithm":"pbkdf2-sha512","additionalParameters":{}}`},
	{plainWords, `{"value":"B7C0x5da3QDLWZxZ6ywbIToOZv8mzifY4F3hcO4Yk5RlQwEn8dNXY26FzHuuUeiF2xxe8AEUm293/CK3SRTvpA==","salt":"AAECAwQFBgcICQoLDA0ODw==","additionalParameters":{}}`, `{"hashIterations":2750,"algorithm":"pbkdf2","additionalParameters":{}}`},
	{plainWords, `{"value":"JzF/t0oFfVe+EUwlIyahCX7GwAj7uFXRopMXEpUlXV0=","salt":"AAECAwQFBgcICQoLDA0ODw==","additionalParameters":{}}`, `{"hashIterations":5,"algorithm":"argon2","additionalParameters":{"hashLength":["32"],"memory":["256"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}`},
	{otherWords, `{"value":"frOd1lSMqYkLCb7rGR1P2O8tiFpb4rd+XJsmkl3b7SJOXto7L/Rs3Oho0cmuAtdsCFfoeOVqO3IdQ55ZV7YZLg==","salt":"AAECAwQFBgcICQoLDA0ODw==","additionalParameters":{}}`, `{"hashIterations":2750,"algorithm":"pbkdf2-sha256","additionalParameters":{}}`},
	{otherWords, `{"value":"8rKJANW6zmpuj+j8lHnVITWRw/yvhxoIt3qxIYB3r+XSnPsSp824MNP6OypGpu13QemBDGcu8PU8OrP60LqrQw==","salt":"AAECAwQFBgcICQoLDA0ODw==","additionalParameters":{}}`, `{"hashIterations":2750,"algorithm":"pbkdf2-sha512","additionalParameters":{}}`},
	{otherWords, `{"value":"VqYsIXcnAK1OrwFTpWZ6Frpy+nVxodGVRSZZ3ziUpWnFGJGn6SWVV1p5KasBTzdcAkkKyUTqqd3AeX3KP0IyvQ==","salt":"AAECAwQFBgcICQoLDA0ODw==","additionalParameters":{}}`, `{"hashIterations":2750,"algorithm":"pbkdf2","additionalParameters":{}}`},
	{otherWords, `{"value":"4Et5v2rXyZtyQvB9OnipIu1XMQrbkgTcUHGuWaI/hSY=","salt":"AAECAwQFBgcICQoLDA0ODw==","additionalParameters":{}}`, `{"hashIterations":5,"algorithm":"argon2","additionalParameters":{"hashLength":["32"],"memory":["256"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}`},
}

// firebase-scrypt 2.2.0 (Node 20), and the example of github.com/firebase/scrypt.
var firebaseVectors = []struct{ password, salt, hash string }{
	{plainWords, "42xEC+ixf3L2lw==", "XGpevTi32tpto1FH0fIpmKGDmjtlwdQdbK7DmZSn5ZcUk170iAVRe6efwAEwy+1oZyVPUlip+4iF43t1C5rfpA=="},
	{otherWords, "42xEC+ixf3L2lw==", "Urn+y3Tx+BrWP8bMqy4VaXH/jQXEwRxy20mP3FWCNqyTuCYl0EBxQpLY4QuWCcquS46tbTXqS0ohiRQ7pP+TFQ=="},
	{"user1password", "42xEC-ixf3L2lw==", "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="},
}
