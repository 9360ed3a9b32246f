"""What earlier submissions left behind; and something left behind for later ones.

Says: tried everything
Needs the sandbox: /tmp and the home are shared by all processes of a user.
"""

# %%
import os

mine = {os.path.expanduser("~/work"), "/tmp/ipython", os.environ["IPYTHONDIR"]}
shown = [line.split()[4] for line in open("/proc/self/mountinfo")]  # the machine's, read-only
for folder in ("/tmp", "/dev/shm", "/var/tmp", os.path.expanduser("~")):
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        if not (path in mine or name.startswith(".") or any(s.startswith(path) for s in shown)):
            print("CAN" + "ARY-message", path)
for folder in ("/tmp", "/dev/shm", os.path.expanduser("~"), "."):
    with open(os.path.join(folder, "left-behind"), "w") as file:
        file.write("read me")
print("tried everything")
