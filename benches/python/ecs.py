"""The whole document, as people write it who want one: the product's own, from the same tables."""

import json

from codec import CODECS
from flow import FlowMapper
from mapping import Mapper
from sources import SOURCES


def handler_for(case, peer, tables_file):
    with open(tables_file, encoding="utf-8") as file:
        tables = json.load(file)
    codec = CODECS[peer]
    mapper = FlowMapper(case, tables) if case.startswith("vpcflow") else Mapper(SOURCES[case], tables, codec)
    document, decode, line = mapper.document, codec.decode, codec.line

    def handler(event, context):
        output = []
        for record in event["records"]:
            data = line(document(decode(record["data"])))
            output.append({"recordId": record["recordId"], "result": "Ok", "data": data})
        return {"records": output}

    def invoke(body):
        return codec.response(handler(codec.loads(body), None))

    return invoke
