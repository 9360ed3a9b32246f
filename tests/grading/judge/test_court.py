"""What the court says of what a student wrote: against a real kernel."""

import time

import pytest

CELL = """
import sys, torch

def double(z):
    print("on the way"); print("a warning", file=sys.stderr)
    return 2 * z

def blank(z):
    raise NotImplementedError("blank: return twice z")

def careless(z):
    return z + undefined_name

def scale(x, g):
    return g(x)

def time_left_behind(x, g):
    return g(x, torch.full((len(x),), 3))

def time_taken_along(x, g):
    return g(x, torch.full((len(x),), 3, device=x.device))

def slope(x, g):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(g(x).sum(), x)[0]

def numbers(n):
    for i in range(n):
        yield i * 1.0

def layer():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Dropout(0.9))

def switches(x):
    x.requires_grad_()
    return torch.autograd.grad(x.exp().sum(), x)[0]

class Node:
    def __init__(self, data):
        self.data, self.grad = data, 0.0
        self.shape = (2,)
    def allclose(self, other):
        return True

def asleep(z):
    while True:
        pass

def chatty(z):
    while True:
        print("x" * 1000)

def storm(x, g):
    while True:
        g(x)
"""


@pytest.fixture(scope="module")
def student(desk):
    assert desk.run(CELL) == "ok"
    return desk


@pytest.mark.parametrize("name", ["time_left_behind", "time_taken_along"])
def test_finds_tensors_of_two_devices_handed_to_a_function_of_the_judges(student, name):
    test = f"check.stays_on_device({name}, check.randn(4, 2), lambda x, t: x * t[:, None])"
    verdict = student.hear(test)
    assert verdict.passed == (name == "time_taken_along")
    assert verdict.passed or "mixes" in verdict.told


def test_printing_and_warnings_cost_nothing(student):
    assert student.hear("check.close(double(torch.ones(2)), 2 * torch.ones(2))").passed


def test_gradients_switched_on_for_an_argument_are_told(student):
    verdict = student.hear("check.unchanged(switches, torch.ones(2))")
    assert "`switches` changed `requires_grad` of the tensor it was given" in verdict.told
    assert student.hear("check.unchanged(slope, torch.ones(2), torch.exp)").passed


def test_a_stub_is_said_to_be_unwritten(student):
    verdict = student.hear("blank(1)")
    assert verdict.told == "`blank` is not written yet."
    assert verdict.blank
    assert not verdict.passed


def test_a_function_that_is_not_there_is_named(student):
    told = student.hear("triple(1)").told
    assert told.startswith("There is no `triple`")


def test_an_exception_is_told_with_its_line(student):
    told = student.hear("careless(torch.ones(1))").told
    assert "raised NameError" in told
    assert "return z + undefined_name" in told
    assert "undefined_name' is not defined" in told


def test_a_visible_check_shows_numbers_and_a_hidden_one_none(student):
    test = "check.close(double(torch.ones(1)), torch.tensor([7319.25]), 'Think.')"
    assert "7319.25" in student.hear(test).told
    hidden = student.hear(f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS")
    assert hidden.told == "The result is wrong. Think."
    assert hidden.on == "a float32 tensor of shape (1,), all 1"


def test_the_message_of_a_bare_assertion_is_not_told(student):
    assert "secret" not in student.hear("assert double(1) == 3, 'secret'").told


def test_a_cell_that_ends_in_a_number_gives_that_many_points(student):
    assert student.hear("0.5 + double(0)").points == 0.5
    assert student.hear("-3.0").points == 0
    assert student.hear("check.true(True, '')").points is None


def test_a_cell_that_ends_in_no_number_gives_no_points(student):
    assert not student.hear("float('nan')").passed
    assert not student.hear("math.inf").passed


def test_functions_of_the_judge_go_as_arguments(student):
    assert student.hear(
        "check.close(scale(torch.ones(2), lambda t: t * 5), 5 * torch.ones(2))"
    ).passed
    assert student.hear("check.close(scale(torch.ones(2), torch.exp), torch.ones(2).exp())").passed


def test_functions_of_the_students_own_go_as_arguments(student):
    test = "check.close(scale(torch.ones(2), {}), 2 * torch.ones(2))"
    assert student.hear(test.format("double")).passed
    assert student.hear(test.format("lambda t: double(t)")).passed


def test_gradients_pass_through_a_function_of_the_judges(student):
    x = "check.randn(3, 2)"
    test = f"x = {x}\ncheck.close(slope(x, lambda t: t**3), 3 * x**2, tol=1e-3)"
    assert student.hear(test).passed


def test_a_generator_is_read_as_far_as_asked(student):
    assert student.hear("check.equal(list(numbers(3)), [0.0, 1.0, 2.0])").passed
    assert student.hear("check.equal(next(iter(numbers(10**9))), 0.0)").passed


def test_a_module_stays_and_can_be_called_trained_and_looked_into(student):
    verdict = student.hear(
        "m = layer()\n"
        "m.eval()\n"
        "x = check.randn(4, 2)\n"
        "w, b = [p.detach() for p in m.parameters()]\n"
        "check.close(m(x).detach(), x @ w.T + b)\n"
        "m.train()\n"
        "check.true(bool((m(torch.ones(100, 2)) == 0).any()), 'dropout drops')\n"
    )
    assert verdict.passed, verdict.told


@pytest.mark.parametrize(
    "test",
    [
        "assert Node(1.0)", "assert Node(1.0) == 1", "assert not Node(1.0) != 1",
        "assert Node(torch.ones(2)).allclose(torch.ones(2))", "check.true(Node(1.0), '')",
        "assert Node(1.0).shape == (2,)",
    ],
)  # fmt: skip
def test_an_object_has_no_say_in_what_it_is_worth(student, test):
    verdict = student.hear(test)
    assert "in place of a value" in verdict.told
    assert not verdict.passed


def test_the_parts_of_an_object_come_by_value(student):
    assert student.hear("n = Node(3.0)\ncheck.equal((n.data, n.grad), (3.0, 0.0))").passed


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ("asleep(1)", "stopped after 1 seconds"),
        ("chatty(1)", "printed more than 2 MB"),
        ("storm(torch.ones(1), lambda t: t)", "stopped after 1 seconds"),
        ("list(numbers(10**9))", "stopped after 1 seconds"),
    ],
)
def test_what_never_ends_is_stopped_and_the_next_question_is_answered(student, test, says):
    start = time.monotonic()
    verdict = student.hear(test, seconds=1 if "seconds" in says else 20)
    assert says in verdict.told
    assert not verdict.lost
    assert time.monotonic() - start < 20
    assert student.hear("check.equal(double(2), 4)").passed


def test_the_same_seed_asks_the_same(student):
    test = "check.true(float(double(check.randn(1))) == {}, '')"
    from course import check

    check.seed(5)
    value = float(2 * check.randn(1))
    assert student.hear(test.format(value), seed=5).passed
    assert not student.hear(test.format(value), seed=6).passed


def test_work_is_counted_in_the_kernel_and_with_functions_of_the_judge(student):
    test = (
        "few, many = (check.work(double, torch.ones(n)) for n in (10, 20))\n"
        "check.equal((few, many), (20, 40))\n"
        "check.equal(check.work(scale, torch.ones(9), torch.exp), 18)\n"
        "check.true(check.work(scale, torch.ones(9), lambda x: x + 1) < 100, 'over there')"
    )
    assert student.hear(test).told == ""
