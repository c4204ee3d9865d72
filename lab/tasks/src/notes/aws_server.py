"""Runs the AWS CLI, which is loaded once: each call is a fork of this process.

Python takes 0.3 s to load the CLI, and the notes call it some three hundred times. What runs is the CLI's own main.
"""
import gc
import os
import select
import signal
import socket
import struct
import sys

from awscli.clidriver import create_clidriver

SERVICES = "ec2 elbv2 iam s3 sqs lambda rds cloudwatch events ssm sns logs acm sts"


def load():
    driver = create_clidriver()
    loader = driver.session.get_component("data_loader")
    for service in SERVICES.split():
        loader.load_service_model(service, "service-2")
    loader.load_data("endpoints")
    loader.load_data("partitions")
    # Nothing of it is to be copied by a fork that collects garbage.
    gc.freeze()
    return driver


def receive(connection):
    message, fds, _, _ = socket.recv_fds(connection, 4, 3)
    (length,) = struct.unpack("!I", message)
    body = b""
    while len(body) < length:
        body += connection.recv(length - len(body))
    directory, count, *rest = body.split(b"\0")
    words, environment = rest[: int(count)], rest[int(count) :]
    return fds, directory, words, environment


def call(driver, connection):
    fds, directory, words, environment = receive(connection)
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
    os.chdir(directory)
    os.environb.clear()
    os.environb.update(pair.split(b"=", 1) for pair in environment)
    sys.argv = ["aws", *map(os.fsdecode, words)]
    status = driver.main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    connection.send(bytes([status]))


def main():
    driver = load()
    server = socket.socket(socket.AF_UNIX)
    server.bind(sys.argv[1])
    server.listen(16)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    # Whoever started this holds the other end of stdin: it ends with them.
    while select.select([server, sys.stdin], [], [])[0] == [server]:
        connection, _ = server.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                call(driver, connection)
            finally:
                os._exit(0)
        connection.close()


main()
