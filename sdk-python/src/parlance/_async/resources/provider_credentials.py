"""`client.provider_credentials`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from typing import Literal

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw, a_raw_page
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import ProviderCredential, ProviderCredentialDeleted
from parlance._model import Model


class AsyncProviderCredentialsResourceWithRawResponse:
    def __init__(self, resource: AsyncProviderCredentialsResource) -> None:
        self.list = a_raw_page(resource.list)
        self.create = a_raw(resource.create)
        self.delete = a_raw(resource.delete)
        self.get = a_raw(resource.get)
        self.check = a_raw(resource.check)
        self.rotate = a_raw(resource.rotate)


class AsyncProviderCredentialsResource:
    """`client.provider_credentials`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncProviderCredentialsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncProviderCredentialsResourceWithRawResponse(self)

    def list(self, *, options: RequestOptions | None = None) -> AsyncPager[ProviderCredential]:
        """List own credentials.

        One per provider at most; newest first.
        """
        call = Call("GET", "/v1/provider-credentials", options=options)
        return AsyncPager(self._transport, call, ProviderCredential, Model)

    async def create(
        self,
        *,
        provider: Literal["assemblyai", "deepgram", "google", "openai", "azure"],
        secret: str,
        name: str | None = None,
        region: str | None = None,
        options: RequestOptions | None = None,
    ) -> ProviderCredential:
        """Bring your own credentials.

        Tried at the provider first. From then on your jobs use them there, at the price of mode `byok`.

        `name`: For people.
        `region`: AssemblyAI: us or eu. Google: a location. Azure: the resource's region. Others: none.
        `secret`: The API key; of Google the JSON file of a service account, as text.
        """
        call = Call(
            "POST",
            "/v1/provider-credentials",
            body={"name": name, "provider": provider, "region": region, "secret": secret},
            options=options,
        )
        response = await self._transport.send(call)
        return parse(response, ProviderCredential)

    async def delete(self, credential_id: str, *, options: RequestOptions | None = None) -> ProviderCredentialDeleted:
        """Delete own credentials.

        Jobs then run on the operator's account again, where it has one.
        """
        call = Call("DELETE", f"/v1/provider-credentials/{quoted(credential_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, ProviderCredentialDeleted)

    async def get(self, credential_id: str, *, options: RequestOptions | None = None) -> ProviderCredential:
        """Get own credentials.

        Everything but the secret.
        """
        call = Call("GET", f"/v1/provider-credentials/{quoted(credential_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, ProviderCredential)

    async def check(self, credential_id: str, *, options: RequestOptions | None = None) -> ProviderCredential:
        """Check own credentials.

        One call at the provider that costs nothing.
        """
        call = Call("POST", f"/v1/provider-credentials/{quoted(credential_id)}/check", options=options)
        response = await self._transport.send(call)
        return parse(response, ProviderCredential)

    async def rotate(
        self, credential_id: str, *, secret: str, options: RequestOptions | None = None
    ) -> ProviderCredential:
        """Rotate own credentials.

        The new secret is tried first; the old one stays in force when it is refused.
        """
        call = Call(
            "POST", f"/v1/provider-credentials/{quoted(credential_id)}/rotate", body={"secret": secret}, options=options
        )
        response = await self._transport.send(call)
        return parse(response, ProviderCredential)
