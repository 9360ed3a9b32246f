"""Write the accounts of a roster as the hub on Kubernetes reads them, or the class's gradebook.

python deploy/kubernetes/accounts.py roster.csv > accounts.json
python deploy/kubernetes/accounts.py roster.csv --gradebook | python -m course.classroom.gradebook
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from course.classroom import roster

people = roster.read(Path(sys.argv[1]))
if "--gradebook" in sys.argv:
    json.dump([asdict(person) for person in people], sys.stdout)
else:
    teacher = roster.Person(roster.INSTRUCTOR, roster.INSTRUCTOR, "", "")
    accounts = {person.account: asdict(person) | {"role": "student"} for person in people}
    accounts[teacher.account] = asdict(teacher) | {"role": "instructor"}
    json.dump(accounts, sys.stdout, indent=1)
