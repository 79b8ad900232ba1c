"""Somebody who asks for little, over and over, in a process of their own; told to end, prints each answer's seconds."""

import asyncio
import json
import sys
import time

import httpx

QUERY = b'{"query": "{ viewer { role } }"}'
PAUSE_SECONDS = 0.002


async def main(url: str, token: str) -> None:
    loop = asyncio.get_running_loop()
    ended = loop.run_in_executor(None, sys.stdin.readline)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    seconds: list[float] = []
    async with httpx.AsyncClient() as http:
        for _ in range(5):
            await http.post(f"{url}/graphql", content=QUERY, headers=headers, timeout=60)
        print("ready", flush=True)
        while not ended.done() or not seconds:
            began = time.perf_counter()
            answer = await http.post(f"{url}/graphql", content=QUERY, headers=headers, timeout=60)
            seconds.append(time.perf_counter() - began)
            if answer.status_code != 200:
                raise SystemExit(answer.text)
            await asyncio.sleep(PAUSE_SECONDS)
    print(json.dumps(seconds))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
