"""The runtime: runs handlers on asyncio or trio, with deadlines and cancellation."""
