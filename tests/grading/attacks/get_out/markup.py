"""Scripts and styles in every text that a feedback page shows.

Loses: raised ramp
"""

# %% answer="raised"
from IPython.display import HTML, Javascript, display

display(HTML("<script>document.title = 'taken'</script><img src=x onerror=alert(1)>"))
display(Javascript("document.title = 'taken'"))
print("<script>document.title = 'taken'</script>")


def raised(z):
    raise ValueError("<script>document.title = 'taken'</script>")


# %% answer="ramp"
ramp = type("<script>alert(1)</script>", (Exception,), {"__init__": lambda self, z: None})
