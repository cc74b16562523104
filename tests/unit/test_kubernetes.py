from __future__ import annotations

import pytest

from spyglass import kubernetes
from spyglass.errors import BadInput
from spyglass.kubernetes import KubernetesHop


@pytest.mark.parametrize("namespace", ["web", "kube-system", "all", "a", "team-7"])
def test_a_namespace_is_taken_as_the_cluster_names_it(namespace: str) -> None:
    kubernetes.check(KubernetesHop(namespace), 1)
    assert KubernetesHop(namespace).label == f"kubernetes:{namespace}"


@pytest.mark.parametrize(
    "hop",
    [
        KubernetesHop(""), KubernetesHop("Web"), KubernetesHop("-A"), KubernetesHop("a b"),
        KubernetesHop("web", "--token=x"), KubernetesHop("web", "a\nb"),
    ],
)  # fmt: skip
def test_what_kubectl_would_take_for_something_else_is_refused(hop: KubernetesHop) -> None:
    with pytest.raises(BadInput, match="Hop 2"):
        kubernetes.check(hop, 2)
