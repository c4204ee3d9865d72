"""The function in Python: one object an event, one row an object, a connection for each."""

import json
import os
from datetime import datetime, timezone
from urllib.parse import unquote_plus

import boto3
import pymysql

s3 = boto3.client("s3")


def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        payment = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        insert(payment, key)
    return {"statusCode": 200}


def insert(payment, key):
    connection = pymysql.connect(
        host=os.environ["DB_HOST"],
        port=int(os.environ["DB_PORT"]),
        user=os.environ["DB_USER"],
        password=os.environ["DB_PASSWORD"],
        database="payments",
        autocommit=True,
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO transactions (payment_id, amount, currency, status, received_at, extra, content_hash,"
                " object_key, object_line) VALUES (%s, %s, %s, %s, %s, '{}', REPEAT('x', 32), %s, 1)",
                (
                    payment["id"],
                    payment.get("amount"),
                    payment.get("currency", "USD"),
                    payment.get("status", "processed"),
                    datetime.now(timezone.utc).replace(tzinfo=None),
                    key,
                ),
            )
    finally:
        connection.close()
