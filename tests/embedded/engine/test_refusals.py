"""What the embedded engine can't do is refused by name, with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.embedded.engine.programs import run

REFUSED = {
    "aws:sqs/queue:Queue 'jobs': the embedded engine does Kubernetes only": (
        "import pulumi_aws\npulumi_aws.sqs.Queue('jobs')"
    ),
    "pulumi:providers:aws 'account': the embedded engine does Kubernetes only": (
        "import pulumi_aws\npulumi_aws.Provider('account', region='eu-west-1')"
    ),
    "invoke aws:index/getCallerIdentity:getCallerIdentity": (
        "import pulumi_aws\npulumi_aws.get_caller_identity()"
    ),
    "pulumi:pulumi:StackReference 'org/proj/base'": "pulumi.StackReference('org/proj/base')",
    "kubernetes:helm.sh/v3:Release 'r'": "k8s.helm.v3.Release('r', chart='x')",
    "kubernetes:yaml/v2:ConfigGroup 'g'": "k8s.yaml.v2.ConfigGroup('g', yaml='a: b')",
    "kubernetes:kustomize/v2:Directory 'd'": "k8s.kustomize.v2.Directory('d', directory='x')",
    "kubernetes:core/v1:ConfigMapPatch 'p'": (
        "k8s.core.v1.ConfigMapPatch('p', metadata={'name': 'p'})"
    ),
    "kubernetes:core/v1:ConfigMapList 'l'": "k8s.core.v1.ConfigMapList('l', items=[])",
    "doesn't follow its `namespace`": "k8s.Provider('p', namespace='x')",
    "doesn't follow its `renderYamlToDirectory`": "k8s.Provider('p', render_yaml_to_directory='x')",
    "resource option `replacement_trigger`": "config_map('one', replacement_trigger='x')",
    "the embedded engine doesn't support transforms of the whole stack": (
        "pulumi.runtime.register_resource_transform(lambda args: None)\nconfig_map('one')"
    ),
    "resource option `transforms`": "config_map('one', transforms=[lambda args: None])",
    "the embedded engine doesn't support resource hooks": (
        "config_map('one', hooks=pulumi.ResourceHookBinding(after_create=[lambda args: None]))"
    ),
    "the embedded engine doesn't support the ReplaceWith option": (
        "config_map('two', replace_with=[config_map('one')])"
    ),
}


@pytest.mark.parametrize("expected", REFUSED)
@pytest.mark.parametrize("preview", [False, True])
def test_it_is_refused_by_name(tmp_path: Path, expected: str, preview: bool) -> None:
    result, executor = run(tmp_path, REFUSED[expected], preview=preview)
    assert result.error is not None and expected in result.error
    assert "Pulumi CLI" not in result.error
    assert executor.names <= {"one"}


def test_a_refusal_names_the_other_engine(tmp_path: Path) -> None:
    result, _ = run(tmp_path, REFUSED[next(iter(REFUSED))])
    assert result.error is not None and "--engine pulumi" in result.error


@pytest.mark.parametrize(
    "value", ["pulumi.FileAsset('x')", "pulumi.StringAsset('x')", "pulumi.FileArchive('.')"]
)
def test_an_asset_in_an_object_fails_it_by_path(tmp_path: Path, value: str) -> None:
    result, executor = run(tmp_path, f"config_map('one', data={{'a': {value}}})\nconfig_map('two')")
    [failure] = result.failures
    assert failure.reason.startswith("data.a holds an asset")
    assert executor.names == {"two"}


def test_transformations_of_the_program_itself_still_work(tmp_path: Path) -> None:
    _, executor = run(
        tmp_path,
        """
        def label(args):
            if args.type_ == "kubernetes:core/v1:ConfigMap":
                args.props["data"] = {"added": "yes"}
                return pulumi.ResourceTransformationResult(args.props, args.opts)
        pulumi.runtime.register_stack_transformation(label)
        config_map("one")
        """,
    )
    assert executor["one"].inputs["data"] == {"added": "yes"}


BUCKET = "import pulumi_aws\nbucket = pulumi_aws.s3.Bucket('b')\nconfig_map('one')"


def test_what_the_executor_does_besides_kubernetes_reaches_it(tmp_path: Path) -> None:
    result, executor = run(tmp_path, BUCKET, packages=["aws"])
    assert result.complete, (result.error, result.failures)
    assert executor["b"].type == "aws:s3/bucket:Bucket"
    assert executor.names == {"b", "one"}


def test_its_provider_goes_with_it(tmp_path: Path) -> None:
    source = """
        import pulumi_aws
        account = pulumi_aws.Provider("account", region="eu-west-1")
        pulumi_aws.s3.Bucket("b", opts=pulumi.ResourceOptions(provider=account))
        """
    result, executor = run(tmp_path, source, packages=["aws"])
    assert result.complete, (result.error, result.failures)
    assert executor["b"].provider.endswith("::pulumi:providers:aws::account")
    assert executor.names == {"b"}, "a provider is nothing to create"


def test_another_cloud_is_still_refused(tmp_path: Path) -> None:
    result, _ = run(tmp_path, BUCKET, packages=["gcp"])
    assert result.error is not None and "Kubernetes only" in result.error
