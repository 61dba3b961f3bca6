"""The layers of a file: how they unroll, and a sentence with its line for each thing that can be wrong."""

import pytest

from zoo.catalog import declarative
from zoo.catalog.declarative import network, variables, yaml_lines
from zoo.catalog.declarative.arguments import Made
from zoo.catalog.declarative.unroll import INPUT
from zoo.core.errors import UsageError

HEAD = "  - head:\n      - Flatten\n      - Dense: {units: $classes, activation: softmax}\n"


def read(text, *, classes=0, **given):
    """The network of layers that begin in line 2; ``variables`` may follow them."""
    root = yaml_lines.parse("layers:\n" + text, "net.yaml")
    values = variables.resolve(root.value.get("variables"), given, classes, "net.yaml")
    return network.read("net", root.value["layers"], values)


def graph(found):
    """Each call by its name, with the names of what it takes."""
    names = {INPUT: "input", **{number: call.name for number, call in enumerate(found.calls)}}
    return {call.name: tuple(names[source] for source in call.inputs) for call in found.calls}


def refused(text, line, reason, *, classes=10):
    with pytest.raises(UsageError, match=reason) as error:
        read(text, classes=classes)
    message = str(error.value)
    assert message.startswith(f"net.yaml, line {line}: "), message
    assert "\n" not in message


# What comes out


def test_layers_in_a_row():
    found = read("  - Conv2D: {filters: 8, kernel_size: 3}\n  - ReLU\n  - ReLU:\n  - MaxPool2D: 3\n")
    assert graph(found) == {
        "conv2d": ("input",),
        "relu": ("conv2d",),
        "relu_1": ("relu",),
        "max_pooling2d": ("relu_1",),
    }
    assert [call.kind for call in found.calls] == ["Conv2D", "ReLU", "ReLU", "MaxPooling2D"]
    assert found.calls[0].arguments == {"filters": 8, "kernel_size": 3}
    assert found.calls[3].arguments == {"pool_size": 3, "dtype": "float32"}
    assert [call.line for call in found.calls] == [2, 3, 4, 5]
    assert found.features is None


def test_positional_arguments():
    found = read("  - Conv2D: [8, [3, 5], 2, same]\n  - Dropout: 0.5\n  - Reshape: [[-1, 8]]\n  - Flatten\n")
    assert found.calls[0].arguments == {"filters": 8, "kernel_size": (3, 5), "strides": 2, "padding": "same"}
    assert found.calls[1].arguments == {"rate": 0.5}
    assert found.calls[2].arguments == {"target_shape": (-1, 8)}


def test_objects_as_arguments():
    (call,) = read(
        "  - Conv2D:\n      filters: 8\n      kernel_size: 3\n      kernel_initializer: he_normal\n"
        "      bias_initializer: {Constant: 0.1}\n      kernel_regularizer: {L1L2: {l1: 1e-4, l2: $l2}}\n"
        "      kernel_constraint: MaxNorm\nvariables: {l2: 0.5}\n"
    ).calls
    assert call.arguments["kernel_initializer"] == "he_normal"
    assert call.arguments["bias_initializer"] == Made("initializers", "Constant", {"value": 0.1}, 6)
    assert call.arguments["kernel_regularizer"].arguments == {"l1": 1e-4, "l2": 0.5}
    assert call.arguments["kernel_constraint"] == "MaxNorm"


def test_layers_within_layers():
    for text in ("{layer: {Conv2D: [8, 3]}}", "{Conv2D: [8, 3]}"):
        (call,) = read(f"  - SpectralNormalization: {text}\n").calls
        assert call.arguments["layer"] == Made("layers", "Conv2D", {"filters": 8, "kernel_size": 3}, 2)


def test_a_residual_adds_its_input():
    found = read("  - ReLU: {name: a}\n  - residual: [Conv2D: [8, 3], ReLU: ]\n")
    assert graph(found) == {"a": ("input",), "conv2d": ("a",), "relu": ("conv2d",), "residual": ("relu", "a")}


def test_a_residual_with_a_shortcut():
    found = read(
        "  - residual:\n      layers: [ReLU: {name: a}]\n      shortcut:\n"
        "        - Conv2D: {filters: 8, kernel_size: 1, name: b}\n"
        "      merge: concatenate\n      name: both\n"
    )
    assert graph(found) == {"a": ("input",), "b": ("input",), "both": ("a", "b")}
    assert found.calls[2].kind == "Concatenate"


def test_parallel_branches():
    found = read("  - parallel: [[ReLU: {name: a}], [], [ReLU: {name: b}, ReLU: {name: c}]]\n")
    assert graph(found) == {
        "a": ("input",),
        "b": ("input",),
        "c": ("b",),
        "parallel": ("a", "input", "c"),
    }
    found = read("  - parallel: {branches: [[ReLU], [ELU]], merge: maximum, name: most}\n")
    assert graph(found)["most"] == ("relu", "elu")


def test_repeat_counts_from_0_and_nests():
    found = read(
        "  - repeat:\n      times: $n\n      layers:\n"
        "        - Conv2D: ['${8 * 2 ** i}', 3]\n"
        "        - repeat: {times: 2, index: j, layers: [ReLU: {name: 'r${i}_$j'}]}\nvariables: {n: 2}\n"
    )
    assert [call.arguments.get("filters") for call in found.calls] == [8, None, None, 16, None, None]
    assert [call.name for call in found.calls] == ["conv2d", "r0_0", "r0_1", "conv2d_1", "r1_0", "r1_1"]
    assert not read("  - ReLU\n  - repeat: {times: 0, layers: [ELU]}\n").calls[1:]


def test_stages_name_their_layers_and_are_recorded():
    found = read(
        "  - stage:\n      name: one\n      layers: [ReLU, {stage: {name: two, layers: [ReLU, ELU]}}]\n  - ReLU\n"
    )
    assert [call.name for call in found.calls] == ["one_relu", "one_two_relu", "one_two_elu", "relu"]
    assert dict(found.stages) == {"two": "one_two_elu", "one": "one_two_elu"}


def test_the_head_and_the_last_layer():
    found = read("  - ReLU\n" + HEAD, classes=7)
    assert found.features == 0
    assert found.calls[-1].name == "predictions"
    assert found.calls[-1].arguments == {"units": 7, "activation": "softmax", "dtype": "float32"}


def test_inputs_make_any_graph():
    found = read(
        "  - ReLU: {name: a}\n  - ELU: {name: b}\n  - Add:\n      name: c\n      inputs: [a, b, input]\n"
        "  - Concatenate: {axis: 1}\n    inputs: [a, c]\n    name: d\n"
    )
    assert graph(found) == {"a": ("input",), "b": ("a",), "c": ("a", "b", "input"), "d": ("a", "c")}
    assert found.needed(1) == [0, 1]


def test_names_made_up_give_way_to_those_that_were_given():
    found = read("  - ReLU\n  - ReLU: {name: relu}\n  - ReLU\n")
    assert [call.name for call in found.calls] == ["relu_1", "relu", "relu_2"]


def test_twice_read_is_the_same():
    text = "  - repeat: {times: 3, layers: [ReLU, residual: [ELU]]}\n"
    assert read(text) == read(text)


# What is refused


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("  - Conv2d: [8, 3]\n" + HEAD, 2, "there is no layer 'Conv2d'. Did you mean 'Conv2D'?"),
        ("  - max_pooling_2d\n" + HEAD, 2, "Did you mean 'MaxPooling2D'?"),
        (
            "  - Conv2D:\n      filters: 8\n      kernel: 3\n" + HEAD,
            4,
            "no argument 'kernel'. Did you mean 'kernel_size'?",
        ),
        ("  - Flatten: {units: 3}\n" + HEAD, 2, "Flatten has no argument 'units'; it takes data_format"),
        ("  - Conv2D: 8\n" + HEAD, 2, "Conv2D needs kernel_size"),
        ("  - Conv2D\n" + HEAD, 2, "Conv2D needs filters and kernel_size"),
        ("  - Conv2D: {filters: 8.5, kernel_size: 3}\n" + HEAD, 2, "filters of Conv2D takes a whole number from 1"),
        ("  - Conv2D: {filters: 0, kernel_size: 3}\n" + HEAD, 2, "whole number from 1"),
        ("  - Conv2D: {filters: true, kernel_size: 3}\n" + HEAD, 2, "not true"),
        ("  - Conv2D: {filters: 8, kernel_size: [3, 0]}\n" + HEAD, 2, r"or a list of them, not \[3, 0\]"),
        ("  - Conv2D: {filters: 8, kernel_size: null}\n" + HEAD, 2, "takes no null"),
        ("  - Conv2D: {filters: {a: 1}, kernel_size: 3}\n" + HEAD, 2, "takes no mapping"),
        ("  - Conv2D: [8, 3, {a: 1}]\n" + HEAD, 2, "takes no mapping"),
        ("  - Conv2D: {filters: 8, kernel_size: 3, use_bias: 1}\n" + HEAD, 2, "true or false, not 1"),
        ("  - Conv2D: {filters: 8, kernel_size: 3, activation: rellu}\n" + HEAD, 2, "no activation 'rellu'. Did you"),
        ("  - Conv2D: {filters: 8, kernel_size: 3, padding: full}\n" + HEAD, 2, "valid or same, not full"),
        ("  - Conv2D: {filters: 8, kernel_size: 3, dtype: float31}\n" + HEAD, 2, "Did you mean 'float32'?"),
        ("  - Flatten: channels_first\n" + HEAD, 2, "channels_last only"),
        (
            "  - Conv2D: {filters: 8, kernel_size: 3, kernel_initializer: he_norma}\n" + HEAD,
            2,
            "Did you mean 'he_normal",
        ),
        (
            "  - Conv2D:\n      filters: 8\n      kernel_size: 3\n      kernel_regularizer: {L3: 1}\n",
            5,
            "no regularizer",
        ),
        (
            "  - Conv2D: {filters: 8, kernel_size: 3, kernel_initializer: {class_name: X, config: {}}}\n",
            2,
            "takes the name of an initializer",
        ),
        ("  - Dropout: 50\n" + HEAD, 2, "rate of Dropout takes a number from 0 to 1, not 50"),
        ("  - Reshape: [28, 14, 2]\n" + HEAD, 2, "takes at most 1 .target_shape.; a list that is one argument"),
        ("  - Add: 3\n" + HEAD, 2, "takes none without a name"),
        ("  - Dense: $unit\n" + HEAD, 2, "there is no variable 'unit'"),
        # Safety
        ("  - Lambda: {function: 'lambda x: x'}\n" + HEAD, 2, "the layer Lambda runs code"),
        ("  - TFSMLayer: {filepath: /tmp}\n" + HEAD, 2, "runs code"),
        ("  - SpectralNormalization: {layer: {Lambda: x}}\n" + HEAD, 2, "runs code"),
        ("  - keras.layers.Flatten\n" + HEAD, 2, "there is no layer"),
        ("  - os.system: id\n" + HEAD, 2, "there is no layer"),
        ("  - __class__\n" + HEAD, 2, "there is no layer"),
        # Form
        ("  -\n" + HEAD, 2, "a layer is its name"),
        ("  - 3\n" + HEAD, 2, "a layer is its name"),
        ("  - [ReLU]\n" + HEAD, 2, "a layer is its name"),
        ("  - {name: a}\n" + HEAD, 2, "a layer is its name"),
        ("  - ReLU:\n    ELU:\n" + HEAD, 2, "one layer stands in an item of a list, not ReLU and ELU"),
        ("  - Residual: [ReLU]\n" + HEAD, 2, "residual is written in lower case"),
        ("  - residual: ReLU\n" + HEAD, 2, "a list of layers is expected"),
        ("  - residual: []\n" + HEAD, 2, "a list of layers is expected"),
        ("  - residual: {shortcut: [ReLU]}\n" + HEAD, 2, "residual needs layers"),
        ("  - residual:\n      layer: [ReLU]\n" + HEAD, 3, "no 'layer'. Did you mean 'layers'?"),
        ("  - residual: {layers: [ReLU], merge: sum}\n" + HEAD, 2, "merge is add, average"),
        ("  - residual: [repeat: {times: 0, layers: [ReLU]}]\n" + HEAD, 2, "adds its input to itself"),
        ("  - parallel: [[ReLU]]\n" + HEAD, 2, "two branches or more"),
        ("  - parallel: [[ReLU], ReLU]\n" + HEAD, 2, "a list of layers is expected"),
        ("  - repeat: [ReLU]\n" + HEAD, 2, "repeat needs times"),
        ("  - repeat: {times: 2.5, layers: [ReLU]}\n" + HEAD, 2, "times is a whole number"),
        ("  - repeat: {times: -1, layers: [ReLU]}\n" + HEAD, 2, "times is a whole number"),
        ("  - repeat: {times: [1], layers: [ReLU]}\n" + HEAD, 2, "one value is expected"),
        ("  - repeat: {times: 2, index: w, layers: [ReLU]}\n" + HEAD + "variables: {w: 1}\n", 2, "a new variable"),
        ("  - repeat: {times: 2, index: [1], layers: [ReLU]}\n" + HEAD, 2, "a new variable"),
        ("  - stage: [ReLU]\n" + HEAD, 2, "stage needs a name"),
        ("  - stage: {name: a b, layers: [ReLU]}\n" + HEAD, 2, "a name is made of letters"),
        ("  - stage: {name: a, layers: [{repeat: {times: 0, layers: [ReLU]}}]}\n" + HEAD, 2, "has no layer"),
        ("  - repeat: {times: 2, layers: [stage: {name: a, layers: [ReLU]}]}\n" + HEAD, 2, "two stages have the name"),
        ("  - stage:\n      name: a\n      layers: [head: [ReLU]]\n", 4, "the head stands at the end"),
        (HEAD + "  - ReLU\n", 5, "nothing stands after the head"),
        (HEAD + HEAD, 5, "nothing stands after the head"),
        ("  - head: []\n", 2, "a list of layers is expected"),
        ("  []\n", 2, "layers is a list of layers"),
        # Names and graphs
        ("  - ReLU: {name: a}\n  - ELU: {name: a}\n" + HEAD, 3, "two layers have the name 'a', first in line 2"),
        ("  - repeat: {times: 2, layers: [ReLU: {name: a}]}\n" + HEAD, 2, r"in a repeat, write a\$\{i\}"),
        ("  - ReLU: {name: image}\n" + HEAD, 2, "taken by what stands before"),
        ("  - ReLU: {name: multiply_2}\n" + HEAD, 2, "one that Keras gives to operations"),
        ("  - ReLU: {name: a/b}\n" + HEAD, 2, "a name is made of letters"),
        ("  - ReLU: {name: 3}\n" + HEAD, 2, "a name is made of letters"),
        ("  - ReLU: {name: a}\n    name: b\n" + HEAD, 2, "name is given twice"),
        ("  - repeat: {times: 1, layers: [ReLU]}\n    name: b\n" + HEAD, 3, "repeat takes no name"),
        ("  - ReLU: {name: predictions}\n" + HEAD, 2, "only the last layer"),
        ("  - ReLU: {name: a, inputs: a}\n" + HEAD, 2, "takes itself, which is a cycle"),
        ("  - ReLU: {inputs: b}\n  - ReLU: {name: b}\n" + HEAD, 2, "'b' comes later, in line 3, so this is a cycle"),
        ("  - ReLU: {name: first}\n  - ReLU: {inputs: frist}\n" + HEAD, 3, "Did you mean 'first"),
        ("  - ReLU: {inputs: 3}\n" + HEAD, 2, "inputs are names"),
        ("  - ReLU: {name: a}\n  - ReLU: {inputs: [a, a]}\n" + HEAD, 3, "ReLU takes one input and is given 2"),
        ("  - Add\n" + HEAD, 2, "Add takes 2 or more inputs and is given 1"),
        ("  - ReLU: {name: a}\n  - ELU\n  - ReLU: {inputs: a}\n" + HEAD, 3, "what ELU 'elu' gives goes nowhere"),
        # Classifiers
        ("  - head: [Flatten, Dense: $classes]\n", 2, "gives probabilities: give Dense activation: softmax"),
        ("  - head: [Flatten, Dense: [10, relu]]\n", 2, "gives probabilities"),
        ("  - head: [Flatten, Dense: {units: 10, activation: softmax, name: out}]\n", 2, "is called predictions"),
    ],
)
def test_refused(text, line, reason):
    refused(text, line, reason)


def test_repeats_of_repeats_have_an_end():
    inner = "ReLU"
    for _ in range(8):
        inner = "{repeat: {times: 1000, layers: [" + inner + "]}}"
    refused(f"  - {inner}\n" + HEAD, 2, "more than 5,000 layers")
    refused(
        f"  - {inner.replace('ReLU', '{repeat: {times: 0, layers: [ReLU]}}')}\n" + HEAD, 2, "more than 50,000 steps"
    )


def test_what_a_file_cites_stays_on_one_line():
    refused('  - "a\\nb\\u0085\\u202e": 3\n' + HEAD, 2, "'a b")
    refused("  - " + "x" * 5000 + "\n" + HEAD, 2, "there is no layer 'xxx")


def test_nothing_imports_keras():
    import subprocess
    import sys

    code = (
        "import sys\nfrom zoo.catalog import declarative; from zoo.core import paths as resources\n"
        "for f in resources.shipped('configs', 'models').glob('*.yaml'): declarative.load(f)\n"
        "print([m for m in ('keras', 'tensorflow', 'openvino', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_parse_gives_a_spec():
    spec = declarative.parse(
        "name: My-Net\ninput: [20, 30]\nclasses: 3\nlayers:\n  - stage: {name: s, layers: [ReLU]}\n" + HEAD, "net.yaml"
    )
    assert (spec.name, spec.input_size, spec.classes, spec.family) == ("my-net", (20, 30), 3, "custom")
    assert [(stage.name, stage.layer) for stage in spec.stages] == [("s", "s_relu")]
