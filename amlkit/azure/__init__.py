"""The Azure ML workspace: everything here may import azure; nothing imports it but the opener."""

import logging

# What the SDKs would say on the terminal is said by amlkit's own errors.
for _name in ("azure", "msal", "urllib3"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
