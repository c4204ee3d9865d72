"""Moto, made to refuse what AWS refuses and moto does not, and to make what AWS makes behind one's back.

RANGES is S3's prefix list: as long as that of us-west-2, where moto's has three.
"""
import sys

from moto.awslambda.models import LambdaBackend
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.managed_prefixes import ManagedPrefixListBackend
from moto.ec2.models.network_acls import NetworkAclBackend
from moto.iam.models import iam_backends
from moto.s3.exceptions import MalformedXML
from moto.s3.responses import S3Response
from moto.server import main

# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
ACL_ENTRIES_MAX = 20
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
DELETED_AT_ONCE_MAX = 1000
# How often somebody must look until Lambda has let go of a function's network interfaces.
LOOKS_UNTIL_GONE = 2


def s3_has_all_its_ranges(original):
    def create(self, name, address_family, entries):
        if name.endswith(".s3") and address_family == "IPv4":
            entries = [{"Cidr": cidr, "Description": "default"} for cidr in RANGES]
        return original(self, name, address_family, entries)

    return create


def an_acl_holds_so_many_entries(original):
    def create(self, network_acl_id, *rest, egress, **named):
        entries = self.get_network_acl(network_acl_id).network_acl_entries
        # AWS counts the final deny, which moto gives to default ACLs alone.
        own = [entry for entry in entries if entry.egress == egress and entry.rule_number < 32767]
        if len(own) + 1 >= ACL_ENTRIES_MAX:
            raise EC2ClientError(
                "NetworkAclEntryLimitExceeded",
                f"The network ACL {network_acl_id} has {ACL_ENTRIES_MAX} entries",
            )
        return original(self, network_acl_id, *rest, egress=egress, **named)

    return create


def so_many_objects_are_deleted_at_once(original):
    def delete(self, *arguments):
        if str(self.body).count("<Object>") > DELETED_AT_ONCE_MAX:
            raise MalformedXML()
        return original(self, *arguments)

    return delete


def a_function_leaves_network_interfaces(original):
    """Lambda deletes them some time after the function, with the function's own role, which must still be there."""

    def delete(self, function_name, qualifier=None):
        function = self.get_function(function_name)
        original(self, function_name, qualifier)
        ec2 = ec2_backends[self.account_id][self.region_name]
        for subnet in (function.vpc_config or {}).get("SubnetIds", []):
            left = ec2.create_network_interface(
                ec2.get_subnet(subnet),
                [],
                group_ids=function.vpc_config["SecurityGroupIds"],
                description=f"AWS Lambda VPC ENI-{function_name}",
            )
            left.deleted_as = function.role.rpartition("/")[2]
            left.looks = 0

    return delete


def they_go_while_the_role_is_there(original):
    def describe(self, *arguments, **named):
        roles = {role.name for role in iam_backends[self.account_id]["aws"].get_roles()}
        for interface in list(self.enis.values()):
            role = getattr(interface, "deleted_as", None)
            if role in roles:
                interface.looks += 1
                if interface.looks >= LOOKS_UNTIL_GONE:
                    del self.enis[interface.id]
        return original(self, *arguments, **named)

    return describe


for owner, name, stricter in [
    (ManagedPrefixListBackend, "_create_aws_managed_prefix_list", s3_has_all_its_ranges),
    (NetworkAclBackend, "create_network_acl_entry", an_acl_holds_so_many_entries),
    (S3Response, "_bucket_response_delete_keys", so_many_objects_are_deleted_at_once),
    (LambdaBackend, "delete_function", a_function_leaves_network_interfaces),
    (NetworkInterfaceBackend, "get_all_network_interfaces", they_go_while_the_role_is_there),
]:
    setattr(owner, name, stricter(getattr(owner, name)))

main(sys.argv[1:])
