"""What open61850's client reads of a server: mms_client.py PORT. Prints each name plate by its reference, as JSON."""

import json
import sys

from open61850.mms.client import MmsClient

PLATES = ("LPHD1$DC$PhyNam", "LLN0$DC$NamPlt")

with MmsClient.connect("127.0.0.1", int(sys.argv[1])) as client:
    [domain] = client.get_name_list(9)
    print(json.dumps({plate: client.read(f"{domain}/{plate}") for plate in PLATES}, default=str))
