"""An S3 server (versitygw): objects are plain files below data/<bucket>/."""

import os

from pyarrow import fs

from .server import Server, cache, free_port, installed, port_open, versions


class S3(Server):
    name = "versitygw"
    access_key = "testkey"
    secret_key = "testsecret123"
    region = "us-east-1"

    def prepare(self):
        self.binary = installed(cache() / f"versitygw-{versions()['VERSITYGW_VERSION']}")
        self.port = free_port()
        self.data = self.directory / "data"
        self.data.mkdir(exist_ok=True)

    def command(self):
        # Without --keep-alive it closes the connection after each answer.
        return [self.binary, "--quiet", "--keep-alive", "--health", "/health", "--port", f"127.0.0.1:{self.port}", "posix", self.data]

    def environment(self):
        return {**os.environ, "ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key, "VGW_REGION": self.region}

    def ready(self):
        return port_open(self.port)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def client_environment(self):
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key,
                "AWS_REGION": self.region}

    def filesystem(self):
        return fs.S3FileSystem(access_key=self.access_key, secret_key=self.secret_key, region=self.region,
                               endpoint_override=self.endpoint, allow_bucket_creation=True)

    def bucket(self, name):
        self.filesystem().create_dir(name)
        return name

    def objects(self, prefix):
        """{key below the bucket's prefix: bytes} of every object under bucket/prefix."""
        system = self.filesystem()
        found = system.get_file_info(fs.FileSelector(prefix, recursive=True, allow_not_found=True))
        return {info.path: system.open_input_file(info.path).read() for info in found if info.type == fs.FileType.File}
