"""S3 buckets and what is set on them."""

from __future__ import annotations

from typing import Any

from tests.cloud.adapters.adapter import Call, Made, adapts


@adapts("aws:s3/bucket:Bucket")
def bucket(call: Call) -> Made:
    call.given.only_provider("forceDestroy")
    name = call.given.get("bucket", call.name)
    s3 = call.client("s3")
    where: dict[str, Any] = {}
    if call.account.region != "us-east-1":
        where["CreateBucketConfiguration"] = {"LocationConstraint": call.account.region}
    locked = call.given.renamed({"objectLockEnabled": "ObjectLockEnabledForBucket"})
    s3.create_bucket(Bucket=name, **where, **locked)
    if tags := call.tag_list():
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
    host = f"{name}.s3.{call.account.region}.amazonaws.com"
    return Made(
        id=name,
        outputs={"bucket": name, "arn": f"arn:aws:s3:::{name}", "bucketRegionalDomainName": host},
    )


@adapts("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
def public_access(call: Call) -> Made:
    name = call.given["bucket"]
    call.client("s3").put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration=call.given.pascal(
            "blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"
        ),
    )
    return Made(id=name)


@adapts("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
def encryption(call: Call) -> Made:
    name = call.given["bucket"]
    rules = []
    for rule in call.given.blocks("rules"):
        made: dict[str, Any] = rule.pascal("bucketKeyEnabled")
        default = rule.block("applyServerSideEncryptionByDefault")
        if default is not None:
            made["ApplyServerSideEncryptionByDefault"] = default.renamed(
                {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
            )
        rules.append(made)
    call.client("s3").put_bucket_encryption(
        Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules}
    )
    return Made(id=name)
