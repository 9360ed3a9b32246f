"""Is what the widgets of `10_gnn` show right?

The pure functions, against sums over matrices, known values and small graphs by hand.
"""

import networkx as nx
import pytest
import torch

from course.data import graphs
from course.widgets import gnn
from course.widgets.gnn import crowd, depth, rounds, stepper, trained, weights

CROWD = {"pair": "even", "move": 0.0, "bend": "plain"}
DEEP = {"depth": 3, "kind": "gcn", "seed": 6}
WEIGHTS = {"weights": "attention", "edges": "all", "theta": 2.0, "node": 3}


def matrix(p):
    """Row i, column j: 1 for an edge from j to i."""
    a = torch.zeros(len(p.x), len(p.x), dtype=torch.float64)
    a[p.edges[1], p.edges[0]] = 1
    return a


@pytest.mark.parametrize("name", stepper.GRAPHS)
@pytest.mark.parametrize("how", rounds.HOWS)
def test_are_the_layers_what_they_are_said_to_be(name, how):
    p = rounds.place(name)
    a, x = matrix(p), p.x.double()
    values, _ = rounds.truth(name, how)
    for t in range(rounds.LAYERS):
        if how == "gcn":
            own = a + torch.eye(len(x))
            root = own.sum(1).sqrt()
            x = (own @ (x / root)) / root
        else:
            heard = [x[row.bool()] for row in a]
            rule = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}[how]
            came = torch.stack([rule(m) if len(m) else m.new_zeros(()) for m in heard])
            x = (x + came) / 2
        torch.testing.assert_close(values[t + 1], x)


@pytest.mark.parametrize("name", stepper.GRAPHS)
def test_does_a_message_need_as_many_layers_as_hops(name):
    far, (_, reach) = rounds.hops(name), rounds.truth(name, "mean")
    for t in range(rounds.LAYERS + 1):
        assert torch.equal(reach[t] > 0, (far >= 0) & (far <= t))


def test_is_the_reach_the_slope():
    p, step = rounds.place("club"), 1e-6
    _, reach = rounds.truth("club", "gcn")
    a = matrix(p) + torch.eye(34)
    root = a.sum(1).sqrt()
    weight = a / root[:, None] / root
    torch.testing.assert_close(reach[2], weight @ weight, atol=step, rtol=0)


@pytest.mark.parametrize("preset", stepper.PRESETS, ids=lambda p: p["name"])
def test_do_the_shares_add_up(preset):
    a = stepper.compute(preset["state"])
    shares = torch.tensor(a["shares"]).sum(-1)
    torch.testing.assert_close(shares, torch.ones_like(shares))


def test_do_the_presets_show_what_they_ask_about():
    states = {p["name"]: p["state"] for p in stepper.PRESETS}
    a = stepper.compute(states["the club"])
    assert a["far"][24][0] > 1
    assert "heard of 33 of 34" in a["told"][3][24]
    assert "33 of 34 signs agree" in a["told"][3][24]
    chain = stepper.compute(states["a chain"])["values"]
    assert chain[5][6] == 0 != chain[6][6]
    street = rounds.hops("street")
    assert street[0].tolist() == [0, -1, -1, -1, -1]
    assert street[1:, 1].min() >= 0
    assert stepper.compute(states["a hermit"])["values"][2][4] == -0.25
    hub = states["a hub"]
    assert stepper.compute(hub)["values"][2][0] == 6.25
    assert stepper.compute(hub | {"how": "mean"})["values"][2][0] == 1


def passes(x, edge_index, phi, aggregate, gamma, back=False):
    start, end = edge_index.flip(0) if back else edge_index
    return gamma(x, aggregate(phi(x[end], x[start]), end, x.shape[0]))


def test_is_a_right_function_told_so():
    def message_passing(*args):
        return passes(*args)

    for preset in stepper.PRESETS:
        for how in rounds.HOWS:
            a = stepper.compute(preset["state"] | {"how": how}, message_passing)
            assert "every node right" in a["note"], (preset["name"], how)


def test_are_the_wrong_nodes_crossed_out():
    def message_passing(*args):
        return passes(*args, back=True)

    street = next(p["state"] for p in stepper.PRESETS if p["name"] == "one way")
    a = stepper.compute(street, message_passing)
    assert "departs at" in a["note"]
    assert a["wrong"][1] == [True, False, True, True, False]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (NotImplementedError(), "`message_passing` is not written yet"),
        (torch.zeros(3, 2), "a layer gave (3, 2), expected shape (34, 1)"),
        (None, "a layer gave NoneType"),
    ],
)
def test_does_the_stepper_survive_a_function_that_fails(returned, said):
    def message_passing(*_):
        if isinstance(returned, Exception):
            raise returned
        return returned

    a = stepper.compute(stepper.PRESETS[0]["state"], message_passing)
    assert said in a["note"]
    assert a["values"] == stepper.compute(stepper.PRESETS[0]["state"])["values"]


def test_does_the_stepper_keep_its_state_in_bounds():
    widget = gnn.hops()
    widget.state = {"graph": "chain", "how": "sum", "layers": 99, "node": 99}
    assert (widget.state["layers"], widget.state["node"]) == (rounds.LAYERS, 6)
    assert widget.scene["graph"] == "chain"
    with pytest.raises(Exception, match="no graph"):
        widget.state = {"graph": "nowhere"}


def test_has_the_stepper_a_picture_where_no_kernel_runs():
    data, _ = gnn.hops()._repr_mimebundle_()
    assert data["image/png"]
    assert "After 3 layers node 24" in data["text/plain"]


@pytest.mark.parametrize(
    ("preset", "apart"),
    [
        ("two and two", "the maximum"),
        ("twice as many", "the sum"),
        ("below zero", "the sum and the mean"),
        ("nobody", "none of the three"),
        ("squared first", "the sum and the mean and the maximum"),
    ],
)
def test_who_tells_the_crowds_apart(preset, apart):
    state = CROWD | next(p["state"] for p in crowd.PRESETS if p["name"] == preset)
    assert crowd.caption(state, crowd.compute(state)).endswith(f"told apart by {apart}.")


def test_are_wrong_aggregators_named():
    def aggregate(_):
        return lambda m, t, n: m.new_zeros(n, 1).index_add(0, t, m)

    a = crowd.compute(CROWD, aggregate)
    assert 'Your "max" is not in its rings' in a["note"]
    assert 'Your "sum"' not in a["note"]


def test_do_more_layers_make_members_alike():
    for kind in ("gcn", "mean"):
        path = depth.walk(kind, 6)
        assert depth.alike(path[0]).abs() < 0.1
        assert depth.alike(path[depth.DEPTH]) > 0.9
    kept = depth.alike(depth.walk("start", 6)[depth.DEPTH])
    assert kept < 0.3


def test_is_the_mean_cosine_that_of_the_pairs():
    x = depth.walk("gcn", 0)[5]
    unit = x / x.norm(dim=1, keepdim=True)
    pairs = [float(unit[i] @ unit[j]) for i in range(34) for j in range(i)]
    assert float(depth.alike(x)) == pytest.approx(sum(pairs) / len(pairs))


def test_is_a_wrong_smoothness_noticed():
    def smoothness(x):
        return x.norm(dim=1).mean()

    assert "off the dashed line" in depth.compute(DEEP, smoothness)["note"]


def test_is_each_row_of_attention_a_softmax_over_its_edges():
    q, k = weights.tokens()
    for kind in weights.EDGES:
        w = weights.truth(WEIGHTS | {"edges": kind})
        may = torch.zeros(9, 9, dtype=torch.bool)
        source, target = weights.edges(kind)
        may[target, source] = True
        score = (2 * q @ k.T / 2**0.5).masked_fill(~may, float("-inf"))
        torch.testing.assert_close(w, score.softmax(1))


def test_do_the_weights_of_a_convolution_depend_on_the_offset_only():
    w = weights.truth(WEIGHTS | {"weights": "offset", "edges": "near"})
    assert torch.equal(w, w.roll((1, 1), (0, 1)))
    assert not torch.equal(w, w.T)


def test_is_gcn_on_a_ring_a_mean():
    w = weights.truth(WEIGHTS | {"weights": "gcn", "edges": "near"})
    torch.testing.assert_close(w[w > 0], torch.full((27,), 1 / 3, dtype=torch.float64))


def test_is_another_attention_noticed():
    def attention_layer(q, k, v, _):
        return (q @ k.T).softmax(1) @ v

    assert "departs from torch's at 9 of 9" in weights.compute(WEIGHTS, attention_layer)["note"]


def test_are_the_wrong_members_named():
    def train_karate(_x, _edge_index, _y_known, seed):
        sides = graphs.karate()[2]
        sides[[8, seed]] = 1 - sides[[8, seed]]
        return sides

    panel = gnn.club(train_karate)
    panel.state = {"known": "leaders", "seed": 5}
    assert panel.caption == "Known: 0 and 33, the leaders. 32 of 34 right; wrong: 5, 8."


def test_is_the_net_given_the_labels_that_are_said():
    def train_karate(_x, _edge_index, y_known, _seed):
        given.append((y_known >= 0).nonzero().flatten().tolist())
        return y_known.clamp(min=0)

    given: list = []
    panel = gnn.club(train_karate)
    for key, (_, known) in trained.KNOWN.items():
        panel.state = {"known": key, "seed": 0}
        assert given[-1] == sorted(known)


def test_are_the_wrong_graphs_counted():
    def classify_graphs(train, y, test, _seed):
        assert len(y) == int(train[2].max()) + 1
        return torch.ones(int(test[2].max()) + 1, dtype=torch.int64)

    panel = gnn.rings(classify_graphs)
    *_, y = graphs.cycles_and_trees(trained.GRAPHS, 5000)
    assert f"0 trees and {int((y == 0).sum())} cycles are wrong" in panel.caption


def unwritten(*_):
    raise NotImplementedError


def shapeless(*_):
    return torch.zeros(2, 7)


@pytest.mark.parametrize("given", [unwritten, shapeless])
@pytest.mark.parametrize(
    "widget", [gnn.aggregators, gnn.oversmoothing, gnn.neighbours, gnn.club, gnn.rings]
)
def test_does_a_widget_survive_a_stub(widget, given):
    panel = widget(given)
    for preset in panel.presets:
        panel.state = {**panel.presets[0]["state"], **preset["state"]}
        assert panel.picture.startswith(b"\x89PNG")
    panel.state = panel.presets[0]["state"]
    assert given.__name__ in panel.caption


def test_is_the_club_that_of_zachary():
    x, edge_index, y = graphs.karate()
    assert (x.shape, edge_index.shape) == ((34, 34), (2, 156))
    assert (int(y[0]), int(y[33]), int(y.sum())) == (0, 1, 17)


def test_is_each_graph_of_a_batch_a_cycle_or_a_tree():
    x, edge_index, batch, y = graphs.cycles_and_trees(40, seed=1)
    assert 10 < int(y.sum()) < 30
    assert torch.equal(x, torch.ones(len(batch), 1))
    assert torch.equal(batch[edge_index[0]], batch[edge_index[1]])
    whole = nx.Graph(edge_index.T.tolist())
    for g, is_tree in enumerate(y.tolist()):
        one = whole.subgraph((batch == g).nonzero().flatten().tolist())
        assert 6 <= len(one) <= 15
        if is_tree:
            assert nx.is_tree(one)
        else:
            assert nx.is_connected(one)
            assert {d for _, d in one.degree} == {2}
    again = graphs.cycles_and_trees(40, seed=1)
    assert torch.equal(again[1], edge_index)
