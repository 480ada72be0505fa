#!/usr/bin/env python3
"""A sign-in provider: PyPI's oidc-provider-mock on a free port, until it is killed.

One JSON line {"issuer": "http://localhost:40123"} when it is ready. POST to its authorization endpoint with `sub=…` signs in
as that subject; PUT /users/SUBJECT says what it claims of it.
"""

import json
import threading

import oidc_provider_mock

# Requests without a nonce are refused: Larkspur sends one.
with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
    print(json.dumps({"issuer": f"http://localhost:{server.server_port}"}), flush=True)
    threading.Event().wait()
