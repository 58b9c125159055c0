"""A chat of the usual kind on Django Channels: every message is stored, then sent to the room's group."""

import json
import os
import sys

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="for a benchmark",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["CHAT_DATABASE"],
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"},
        }
    },
)
django.setup()

from channels.db import database_sync_to_async  # noqa: E402
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.urls import path  # noqa: E402


class Message(models.Model):
    room = models.CharField(max_length=255)
    username = models.CharField(max_length=255)
    content = models.TextField()
    date_added = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "channels"


with connection.schema_editor() as editor:
    editor.create_model(Message)


class Chat(AsyncWebsocketConsumer):
    async def connect(self):
        self.room = self.scope["url_route"]["kwargs"]["room"]
        await self.channel_layer.group_add(f"chat_{self.room}", self.channel_name)
        await self.accept()
        await self.send(text_data=json.dumps({"type": "welcome"}))

    async def disconnect(self, code):
        await self.channel_layer.group_discard(f"chat_{self.room}", self.channel_name)

    async def receive(self, text_data):
        data = json.loads(text_data)
        await self.save(data["username"], data["message"])
        said = {"type": "said", "username": data["username"], "message": data["message"]}
        await self.channel_layer.group_send(f"chat_{self.room}", said)

    async def said(self, event):
        await self.send(text_data=json.dumps({"username": event["username"], "message": event["message"]}))

    @database_sync_to_async
    def save(self, username, content):
        Message.objects.create(room=self.room, username=username, content=content)


application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/<str:room>/", Chat.as_asgi())])})

if __name__ == "__main__":
    from daphne.server import Server

    Server(application, endpoints=[f"tcp:port={sys.argv[1]}:interface=127.0.0.1"]).run()
