"""A connection out of the machine, and to services of this one; packets made by hand.

Says: tried everything
Needs the sandbox: nothing keeps a process from the network.
"""

# %%
import socket

for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, 40):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            with socket.socket(family, kind):
                print("CAN" + "ARY-message", family, kind)
        except OSError:
            pass
try:
    print("CAN" + "ARY-message", socket.create_connection(("127.0.0.1", 9), timeout=0.5))
except OSError:
    pass
try:
    print("CAN" + "ARY-message", socket.getaddrinfo("example.org", 80))
except OSError:
    pass
print("tried everything")
