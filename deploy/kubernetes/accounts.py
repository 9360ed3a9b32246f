"""Write the accounts of a roster as the hub on Kubernetes reads them.

python deploy/kubernetes/accounts.py roster.csv > accounts.json
"""

import json
import sys
from pathlib import Path

from course.classroom import roster

people = {
    person.account: {"id": person.id, "email": person.email, "role": "student"}
    for person in roster.read(Path(sys.argv[1]))
}
people[roster.INSTRUCTOR] = {"id": "", "email": "", "role": "instructor"}
json.dump(people, sys.stdout, indent=1, ensure_ascii=False)
