"""The judge of `core.yaml`: asks a server as any client would, and believes nothing that it has not seen.

    CONTRACT_SERVER='{"url": "http://…", "limited_url": "http://…", "tokens": {…}}' pytest <this folder>

`url` is the server, with an allowance so large that these tests do not come near it. `limited_url` is the same service
on the same database with an allowance of at most 100. `tokens` are those of four subjects: `writer` and `other` have
both scopes, `reader` has `stock:read`, `nobody` has none; and `expired` is the writer's, its time over. Without
CONTRACT_SERVER a fixture `contract_server` gives the same mapping. With `full`, what full.yaml adds is judged, too: it
maps `key`, `revoked_key` and `expired_key` to API keys with both scopes. A server with `one_writer` may answer 503
to who comes while somebody else writes: who hears that comes again. Of no other server is it taken.
"""
