# A request under construction, and which group an item belongs to.
#
# Groups are those of the official encoder: two resources are one if they are equal and hash alike, and so are two scopes
# under one resource. But Resource.__hash__ renders the resource as JSON, so it is asked only when a second resource
# turns up. Before that come two cheaper questions: a small table by address, and a dict by identity. All three
# hold references to what they know, so an address cannot come to mean another object.

cdef enum:
    SLOTS = 64
    # Most spans and log records take between 128 bytes and 16 KiB: two bytes of length.
    ITEM_GUESS = 0x200
    # Most memory that is taken before there is anything to write.
    MAX_EXPECTED_LEN = 1 << 26

cdef struct GroupSlot:
    PyObject *resource
    PyObject *scope
    uint32_t group


cdef class Request:
    """Owns a request builder of Rust and the tables that map resource and scope objects to its groups."""

    cdef otlp_request *handle
    cdef GroupSlot[SLOTS] slots
    # (id of resource, id of scope) -> (group, resource, scope)
    cdef dict by_identity
    # The first resource, which need not be hashed while it is the only one; then GroupKey -> number.
    cdef object first_resource
    cdef dict resources
    # GroupKey -> group
    cdef dict scopes
    # Writers for resources and scopes that are not in use.
    cdef list scratches
    # How many spans, log records or data points it holds, and the bytes of its items without their envelopes. Only for
    # what was added by an encoder that is shared.
    cdef Py_ssize_t item_count
    cdef Py_ssize_t written_len

    def __cinit__(self, size_t expected_len):
        # Of a batch of other items than the last one the guess may be far too much.
        self.handle = otlp_request_new(min(expected_len, MAX_EXPECTED_LEN))
        if self.handle is NULL:
            raise MemoryError
        self.by_identity = {}
        self.resources = {}
        self.scopes = {}
        self.scratches = []
        memset(self.slots, 0, sizeof(self.slots))

    def __dealloc__(self):
        otlp_request_free(self.handle)

    cdef int add_item(self, Walk walk, int signal, object item, tuple fields) except -1:
        """Adds an item, written in place. Only for a request that no other code can reach."""
        cdef otlp_item place
        cdef otlp_writer *writer
        cdef uint32_t group = self.group_of(walk, field(fields, ITEM_RESOURCE), field(fields, ITEM_SCOPE))
        if otlp_request_open_item(self.handle, group, ITEM_GUESS, &place) < 0:
            raise MemoryError(f"no memory for another {ITEM[signal]}")
        writer = otlp_request_writer(self.handle)
        try:
            write_item(walk, writer, signal, item, fields)
        except BaseException:
            otlp_request_abandon_item(self.handle, &place)
            raise
        if otlp_request_close_item(self.handle, group, &place) < 0:
            raise MemoryError(f"no memory for another {ITEM[signal]}, or the request would pass 2 GiB")
        walk.replaced_surrogates(OTLP_SPAN, writer)
        return 0

    cdef Py_ssize_t add_metric(
        self, Walk walk, object resource, object scope, tuple fields, uint32_t kind, list points
    ) except -1:
        """Adds a metric, written in place, and gives the number of its data points; as `add_item` does."""
        cdef otlp_item place
        cdef otlp_writer *writer
        cdef Py_ssize_t written
        cdef uint32_t group = self.group_of(walk, resource, scope)
        if otlp_request_open_item(self.handle, group, expected_data_len(kind, points), &place) < 0:
            raise MemoryError("no memory for another metric")
        writer = otlp_request_writer(self.handle)
        try:
            written = write_metric(walk, writer, fields, kind, points)
        except BaseException:
            otlp_request_abandon_item(self.handle, &place)
            raise
        if otlp_request_close_item(self.handle, group, &place) < 0:
            raise MemoryError("no memory for another metric, or the request would pass 2 GiB")
        walk.replaced_surrogates(OTLP_NUMBER_POINT, writer)
        return written

    cdef inline uint32_t group_of(self, Walk walk, object resource, object scope) except OTLP_NO_GROUP:
        cdef uintptr_t address = (<uintptr_t><PyObject *>resource >> 5) ^ (<uintptr_t><PyObject *>scope >> 4)
        cdef GroupSlot *slot = &self.slots[(address ^ address >> 4) & (SLOTS - 1)]
        if slot.resource is <PyObject *>resource and slot.scope is <PyObject *>scope:
            return slot.group
        group = self.find_group(walk, resource, scope)
        slot.resource = <PyObject *>resource
        slot.scope = <PyObject *>scope
        slot.group = group
        return group

    cdef uint32_t find_group(self, Walk walk, object resource, object scope) except OTLP_NO_GROUP:
        cdef uint32_t number, group
        identity = (id(resource), id(scope))
        known = self.by_identity.get(identity)
        if known is not None:
            return known[0]
        number = self.find_resource(walk, resource)
        key = GroupKey(number, None if is_absent(scope) else scope)
        found = self.scopes.get(key)
        if found is None:
            # Encoding may run Python code, and that code another add: the first entry wins.
            found = self.scopes.setdefault(key, self.encode_scope(walk, number, key))
        group = found
        self.by_identity[identity] = (group, resource, scope)
        return group

    cdef uint32_t find_resource(self, Walk walk, object resource) except OTLP_NO_GROUP:
        # Encoding, hashing and comparing may run Python code, and that code another add, as may another thread: whatever
        # one of them has made known counts, and nothing that is known is unknown in between.
        encoded = None
        if self.first_resource is None and not self.resources:
            encoded = self.encode_resource(walk, resource)
            if self.first_resource is None and not self.resources:
                self.first_resource = (resource, encoded)
                return encoded
        if self.first_resource is not None:
            first, number = self.first_resource
            if first is resource:
                return number
            self.resources.setdefault(GroupKey(0, first), number)
            self.first_resource = None
        key = GroupKey(0, resource)
        found = self.resources.get(key)
        if found is None:
            found = self.resources.setdefault(key, self.encode_resource(walk, resource) if encoded is None else encoded)
        return found

    cdef int list_resource(self, Walk walk, object resource) except -1:
        """Puts a group into the request that may stay without items."""
        otlp_request_list_resource(self.handle, self.find_resource(walk, resource))
        return 0

    cdef int list_scope(self, Walk walk, object resource, object scope) except -1:
        otlp_request_list_scope(self.handle, self.group_of(walk, resource, scope))
        return 0

    cdef uint32_t encode_resource(self, Walk walk, object resource) except OTLP_NO_GROUP:
        cdef uint32_t number
        cdef Scratch content = self.take_scratch(), schema_url = self.take_scratch()
        try:
            write_attributes(walk, content.writer, OTLP_RESOURCE, resource.attributes)
            schema_url.put_text(text_field(walk, OTLP_RESOURCE, ".schema_url", resource.schema_url))
        except Exception as error:
            walk.repaired(OTLP_RESOURCE, "", f"left out: {reason_of(error)}")
        number = otlp_request_add_resource(self.handle, content.writer, schema_url.writer)
        self.give_scratch(walk, OTLP_RESOURCE, content)
        self.give_scratch(walk, OTLP_RESOURCE, schema_url)
        if number == OTLP_NO_GROUP:
            raise MemoryError("no memory for another resource")
        return number

    cdef uint32_t encode_scope(self, Walk walk, uint32_t resource, GroupKey key) except OTLP_NO_GROUP:
        cdef uint32_t number
        cdef Scratch content = self.take_scratch(), schema_url = self.take_scratch()
        scope = key.target
        if scope is not None:
            try:
                name = text_field(walk, OTLP_SCOPE, ".name", scope.name)
                version = text_field(walk, OTLP_SCOPE, ".version", scope.version)
                otlp_scope_text(content.writer, OTLP_SCOPE_NAME, otlp_text_of(<PyObject *>name))
                otlp_scope_text(content.writer, OTLP_SCOPE_VERSION, otlp_text_of(<PyObject *>version))
                write_attributes(walk, content.writer, OTLP_SCOPE, scope.attributes)
                schema_url.put_text(text_field(walk, OTLP_SCOPE, ".schema_url", scope.schema_url))
            except Exception as error:
                walk.repaired(OTLP_SCOPE, "", f"left out: {reason_of(error)}")
        number = otlp_request_add_scope(self.handle, resource, content.writer, schema_url.writer)
        self.give_scratch(walk, OTLP_SCOPE, content)
        self.give_scratch(walk, OTLP_SCOPE, schema_url)
        if number == OTLP_NO_GROUP:
            raise MemoryError("no memory for another scope")
        return number

    cdef Scratch take_scratch(self):
        return self.scratches.pop() if self.scratches else Scratch()

    cdef int give_scratch(self, Walk walk, uint32_t owner, Scratch scratch) except -1:
        walk.replaced_surrogates(owner, scratch.writer)
        otlp_writer_clear(scratch.writer)
        self.scratches.append(scratch)
        return 0

    cdef object to_buffer(self):
        """The finished request as a `Buffer`: the memory it was written to, where it has one group."""
        cdef otlp_bytes *finished = otlp_request_finish(self.handle)
        if finished is NULL:
            raise MemoryError("the request could not be put together")
        try:
            capsule = PyCapsule_New(finished, PooledBytesName, free_pooled_bytes)
        except BaseException:
            otlp_bytes_free(finished)
            raise
        return Buffer(capsule)

    cdef bytes to_bytes(self):
        """The finished request as a bytes object, copied once."""
        cdef size_t length = otlp_request_byte_count(self.handle)
        data = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>length)
        if otlp_request_copy(self.handle, <uint8_t *>PyBytes_AS_STRING(data), length) < 0:
            raise MemoryError("the request could not be put together")
        return data


cdef bint is_absent(object scope) except -1:
    """Whether there is no scope: none, or one that is false, as for the official encoder. One that cannot say is there."""
    try:
        return scope is None or not scope
    except Exception:
        return False


cdef class Scratch:
    """A writer for one resource or scope. Encoding it may run code that encodes another, so each takes its own."""

    cdef otlp_writer *writer

    def __cinit__(self):
        self.writer = otlp_writer_new()
        if self.writer is NULL:
            raise MemoryError

    def __dealloc__(self):
        otlp_writer_free(self.writer)

    cdef int put_text(self, object text) except -1:
        otlp_writer_put_text(self.writer, otlp_text_of(<PyObject *>text))
        return 0


cdef class GroupKey:
    """A resource, or a scope under the resource of a number, as the key of a dict: hashed once, as its hash is dear.

    What cannot be hashed or compared is equal to nothing but itself.
    """

    cdef uint32_t number
    cdef object target
    cdef Py_hash_t value

    def __cinit__(self, uint32_t number, target):
        self.number = number
        self.target = target
        try:
            self.value = hash(target) ^ <Py_hash_t>number
        except Exception:
            self.value = <Py_hash_t>id(target)

    def __hash__(self):
        return self.value

    def __eq__(self, other):
        cdef GroupKey key = other
        if self.number != key.number or self.value != key.value:
            return False
        if self.target is key.target:
            return True
        try:
            return bool(self.target == key.target)
        except Exception:
            return False
