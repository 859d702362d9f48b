"""JSON and Base64, with the standard library or with the fast packages that people install for this."""

import base64
import json

import orjson
import pybase64


class Standard:
    """What a Lambda function for Python has at hand."""

    loads = staticmethod(json.loads)
    text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
    decode = staticmethod(base64.b64decode)

    @staticmethod
    def line(document, text=text):
        return base64.b64encode((text(document) + "\n").encode()).decode("ascii")

    @staticmethod
    def response(response):
        return json.dumps(response).encode()


class Fast:
    """orjson and pybase64."""

    loads = staticmethod(orjson.loads)
    decode = staticmethod(pybase64.b64decode)
    response = staticmethod(orjson.dumps)

    @staticmethod
    def text(value):
        return orjson.dumps(value).decode()

    @staticmethod
    def line(document):
        return pybase64.b64encode_as_string(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))


CODECS = {"json": Standard, "orjson": Fast}
