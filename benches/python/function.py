"""The workshop's handler as a Lambda function: `awslambdaric` calls `handler`."""

import os

import workshop

handler = workshop.handler_for(os.environ["PORTCULLIS_BENCH_CASE"])
